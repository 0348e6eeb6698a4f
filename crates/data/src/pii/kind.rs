//! The kinds of personal data and secrets, what speaks for each of them, and what its scores are.

use std::fmt;

/// What a finding is: one of the built-in kinds, or one that a file of recognisers adds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u8);

/// Which group a kind belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// E-mail, phone, card, IBAN, US social security number and IP address: what most texts hold.
    Common,
    /// Identifies a person or a device in another way.
    Personal,
    /// A number that a state gives to a person.
    National,
    /// Opens something: keys, tokens, passwords.
    Secret,
    /// Added by a file of recognisers.
    Custom,
}

/// Everything that is fixed about a built-in kind.
pub(super) struct KindInfo {
    pub(super) id: &'static str,
    pub(super) family: Family,
    /// In hundredths, by [`Evidence`]: doubtful, plain, formatted, context.
    pub(super) scores: [u8; 4],
    /// Lower-case words that speak for the kind when they stand near it. None for kinds of which the form says enough,
    /// so that the many addresses in a log cost nothing more.
    pub(super) words: &'static [&'static str],
}

/// How much speaks for a candidate, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Evidence {
    /// A word nearby, or its form, says that it is rather something else.
    Doubtful,
    /// Its validator accepts it.
    Plain,
    /// It is also written in a way that is typical of its kind.
    Formatted,
    /// A word nearby names its kind.
    Context,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $family:ident, $scores:expr, $words:expr;)*) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "numbers the constants below in the order of the table")]
        #[repr(u8)]
        enum Number { $($name,)* }

        impl Kind {
            $($(#[$doc])* pub const $name: Self = Self(Number::$name as u8);)*
            /// Every built-in kind, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }

        const TABLE: &[KindInfo] = &[
            $(KindInfo { id: $id, family: Family::$family, scores: $scores, words: $words },)*
        ];
    };
}

kinds! {
    /// An address for electronic mail (RFC 5321, RFC 6531).
    EMAIL = "email", Common, [1, 95, 95, 95], &[];
    /// A telephone number (ITU-T E.164 and national forms).
    PHONE = "phone", Common, [1, 1, 70, 95],
        &["phone", "telephone", "tel", "mobile", "cell", "call", "fax", "contact", "whatsapp", "sms", "telefon",
          "handy", "mobil", "téléphone", "portable", "teléfono", "telefono", "móvil", "cellulare", "telefoon"];
    /// A payment card number (ISO/IEC 7812).
    CARD = "card", Common, [5, 80, 95, 99],
        &["card", "credit", "debit", "visa", "mastercard", "amex", "american express", "discover", "maestro", "jcb",
          "diners", "unionpay", "pan", "payment", "kreditkarte", "carte", "tarjeta", "carta"];
    /// An international bank account number (ISO 13616).
    IBAN = "iban", Common, [90, 98, 99, 99], &[];
    /// A social security number of the United States.
    US_SSN = "us-ssn", Common, [1, 10, 70, 95],
        &["ssn", "social security", "socialsecurity", "soc sec", "social_security", "social-security", "ssns"];
    /// An IP address of version 4 (RFC 791).
    IPV4 = "ipv4", Common, [1, 95, 95, 95], &[];
    /// An IP address of version 6 (RFC 4291).
    IPV6 = "ipv6", Common, [1, 95, 95, 95], &[];
    /// A hardware address of a network interface (IEEE 802 EUI-48).
    MAC = "mac-address", Personal, [40, 90, 90, 90], &[];
    /// A date of birth, which only the words around it tell from other dates.
    DATE_OF_BIRTH = "date-of-birth", Personal, [5, 5, 5, 90],
        &["dob", "d.o.b", "d o b", "birth", "birthday", "birthdate", "birthdt", "bday", "dateofbirth", "born",
          "date_of_birth", "geboren", "geburtsdatum", "geburtstag", "geb", "née", "naissance", "nacimiento", "nascita",
          "nascimento", "geboortedatum", "geboorte", "födelsedatum", "född", "fødselsdato", "født", "syntymäaika", "urodzenia",
          "narození", "születési", "doğum", "рождения", "生年月日", "出生日期", "생년월일"];
    /// A number of the National Health Service of the United Kingdom.
    UK_NHS = "uk-nhs", National, [1, 10, 60, 95], &["nhs", "national health", "patient", "health service"];
    /// A National Insurance number of the United Kingdom.
    UK_NINO = "uk-nino", National, [20, 60, 90, 95], &["nino", "national insurance", "insurance number", "ni number"];
    /// The national identity number of Spain.
    ES_DNI = "es-dni", National, [50, 90, 95, 98], &["dni", "nif", "documento nacional", "identidad"];
    /// The number of a foreigner in Spain.
    ES_NIE = "es-nie", National, [50, 90, 95, 98], &["nie", "nif", "extranjero", "identidad"];
    /// The tax code of a person in Italy.
    IT_CODICE_FISCALE = "it-codice-fiscale", National, [90, 98, 98, 99], &["codice fiscale", "cf", "fiscale"];
    /// The number of the register of persons of France.
    FR_NIR = "fr-nir", National, [30, 60, 95, 98],
        &["nir", "insee", "sécurité sociale", "securite sociale", "sécu", "numéro de sécu"];
    /// The tax identification number of a person in Germany.
    DE_STEUER_ID = "de-steuer-id", National, [1, 15, 60, 95],
        &["steuer-id", "steuer", "idnr", "steueridentifikationsnummer", "identifikationsnummer", "tax id", "tin"];
    /// The citizen service number of the Netherlands.
    NL_BSN = "nl-bsn", National, [1, 4, 1, 90], &["bsn", "burgerservicenummer", "sofinummer", "burger"];
    /// The personal identity number of Sweden.
    SE_PERSONNUMMER = "se-personnummer", National, [1, 20, 80, 95],
        &["personnummer", "personnr", "pnr", "personal identity", "samordningsnummer"];
    /// The personal identity code of Finland.
    FI_HETU = "fi-hetu", National, [50, 90, 90, 98], &["hetu", "henkilötunnus", "henkilotunnus", "personal identity"];
    /// The birth number of Norway.
    NO_FODSELSNUMMER = "no-fodselsnummer", National, [1, 60, 80, 95],
        &["fødselsnummer", "fodselsnummer", "fnr", "personnummer", "d-nummer"];
    /// The number of the population register of Poland.
    PL_PESEL = "pl-pesel", National, [1, 60, 60, 95], &["pesel"];
    /// The number of a natural person in Brazil's tax register.
    BR_CPF = "br-cpf", National, [1, 30, 95, 98], &["cpf", "cadastro", "contribuinte"];
    /// The number of India's Unique Identification Authority.
    IN_AADHAAR = "in-aadhaar", National, [1, 15, 60, 95], &["aadhaar", "aadhar", "uidai", "adhaar"];
    /// The social insurance number of Canada.
    CA_SIN = "ca-sin", National, [1, 5, 50, 92], &["sin", "social insurance", "nas", "assurance sociale"];
    /// The tax file number of Australia.
    AU_TFN = "au-tfn", National, [1, 5, 30, 92], &["tfn", "tax file", "tax number"];
    /// The number of the national register of Belgium.
    BE_RRN = "be-rrn", National, [1, 50, 95, 98],
        &["rijksregister", "rijksregisternummer", "registre national", "national register", "niss", "insz", "rrn"];
    /// The number of the central person register of Denmark.
    DK_CPR = "dk-cpr", National, [1, 1, 40, 92], &["cpr", "personnummer", "cpr-nummer"];
    /// The tax number of a person in Portugal.
    PT_NIF = "pt-nif", National, [1, 4, 1, 92], &["nif", "contribuinte", "número fiscal"];
    /// The social insurance number of Switzerland.
    CH_AHV = "ch-ahv", National, [50, 90, 98, 99], &["ahv", "avs", "sozialversicherung", "ahvn13"];
    /// The personal public service number of Ireland.
    IE_PPS = "ie-pps", National, [30, 75, 80, 95], &["pps", "ppsn", "personal public service"];
    /// The identification number of Türkiye.
    TR_TCKN = "tr-tckn", National, [1, 60, 60, 95], &["tckn", "t.c.", "kimlik", "tc no"];
    /// The identity number of South Africa.
    ZA_ID = "za-id", National, [1, 40, 40, 95], &["identity number", "id number", "south african id", "rsa id", "sa id"];
    /// The resident registration number of South Korea.
    KR_RRN = "kr-rrn", National, [1, 50, 90, 97], &["rrn", "resident registration", "주민등록번호"];
    /// The identity number of a resident of China (GB 11643).
    CN_RIC = "cn-ric", National, [80, 95, 95, 99], &["身份证", "identity card", "resident identity", "id card"];
    /// The birth number of the Czech Republic and Slovakia.
    CZ_RC = "cz-rc", National, [1, 1, 85, 95], &["rodné číslo", "rodne cislo", "r.č.", "rodné", "birth number"];
    /// The personal numerical code of Romania.
    RO_CNP = "ro-cnp", National, [1, 40, 40, 95], &["cnp", "cod numeric"];
    /// The unified civil number of Bulgaria.
    BG_EGN = "bg-egn", National, [1, 15, 15, 92], &["ЕГН", "егн", "egn", "единен граждански"];
    /// The personal identification number of Croatia.
    HR_OIB = "hr-oib", National, [1, 10, 10, 92], &["oib", "osobni identifikacijski"];
    /// The personal identification code of Estonia, and of Lithuania, which has the same rule.
    EE_ISIKUKOOD = "ee-isikukood", National, [1, 60, 60, 92], &["isikukood", "asmens kodas", "personal code"];
    /// The registration number of a person in Singapore.
    SG_NRIC = "sg-nric", National, [40, 90, 90, 97], &["nric", "fin", "identity card"];
    /// The individual number of Japan.
    JP_MY_NUMBER = "jp-my-number", National, [1, 5, 1, 92], &["my number", "mynumber", "マイナンバー", "個人番号"];
    /// An address of a resource with a user's name and password in it (RFC 3986, section 3.2.1).
    URL_CREDENTIALS = "url-credentials", Secret, [60, 95, 95, 99], &[];
    /// The id of an access key of Amazon Web Services.
    AWS_ACCESS_KEY = "aws-access-key", Secret, [90, 97, 97, 99], &[];
    /// The secret part of an access key of Amazon Web Services.
    AWS_SECRET_KEY = "aws-secret-key", Secret, [10, 10, 10, 95],
        &["aws_secret", "secret_access_key", "secretaccesskey", "aws secret", "secret access key", "aws"];
    /// A token of GitHub, with its checksum where it has one.
    GITHUB_TOKEN = "github-token", Secret, [97, 99, 99, 99], &[];
    /// A token or a web-hook address of Slack.
    SLACK_TOKEN = "slack-token", Secret, [90, 97, 97, 99], &[];
    /// A secret key of Stripe.
    STRIPE_KEY = "stripe-key", Secret, [90, 97, 97, 99], &[];
    /// An API key of Google.
    GOOGLE_API_KEY = "google-api-key", Secret, [90, 97, 97, 99], &[];
    /// A JSON Web Token (RFC 7519).
    JWT = "jwt", Secret, [90, 98, 98, 99], &[];
    /// A private key in PEM (RFC 7468), OpenSSH's and PGP's forms among them.
    PRIVATE_KEY = "private-key", Secret, [95, 99, 99, 99], &[];
    /// An account key of Azure Storage, Service Bus or Cosmos DB in a connection string.
    AZURE_KEY = "azure-key", Secret, [90, 97, 97, 99], &[];
    /// A token of npm, with its checksum.
    NPM_TOKEN = "npm-token", Secret, [97, 99, 99, 99], &[];
    /// A token of GitLab.
    GITLAB_TOKEN = "gitlab-token", Secret, [85, 95, 95, 98], &[];
    /// An API key of OpenAI.
    OPENAI_KEY = "openai-key", Secret, [90, 97, 97, 99], &[];
    /// An API key or a token of Anthropic.
    ANTHROPIC_KEY = "anthropic-key", Secret, [90, 97, 97, 99], &[];
    /// A user access token of Hugging Face.
    HUGGINGFACE_TOKEN = "huggingface-token", Secret, [90, 97, 97, 99], &[];
    /// An API key of SendGrid.
    SENDGRID_KEY = "sendgrid-key", Secret, [90, 97, 97, 99], &[];
    /// An API token of PyPI.
    PYPI_TOKEN = "pypi-token", Secret, [90, 97, 97, 99], &[];
    /// A token of DigitalOcean.
    DIGITALOCEAN_TOKEN = "digitalocean-token", Secret, [90, 97, 97, 99], &[];
    /// A token of HashiCorp Vault.
    VAULT_TOKEN = "vault-token", Secret, [85, 95, 95, 98], &[];
    /// The credentials of an HTTP `Authorization` header, of the schemes Bearer (RFC 6750) and Basic (RFC 7617).
    AUTHORIZATION = "authorization-header", Secret, [60, 95, 95, 95], &[];
    /// An API key of this program (`docs/formats/api-key.md`).
    BARTIZAN_KEY = "bartizan-key", Secret, [99, 99, 99, 99], &[];
    /// A value that looks random, assigned to a name such as `password` or `api_key`.
    ASSIGNED_SECRET = "assigned-secret", Secret, [20, 80, 80, 80], &[];
}

/// Kinds that files of recognisers may add to one detector.
pub(crate) const CUSTOM_KINDS: usize = 48;

// INVARIANT: every kind, built in or added, has a bit in a `KindSet`.
const _: () = assert!(TABLE.len() + CUSTOM_KINDS <= 128);

impl Kind {
    /// The built-in kind of that id.
    pub fn built_in(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.info().is_some_and(|info| info.id == id))
    }

    /// The `number`-th kind that a file of recognisers adds.
    pub(super) fn custom(number: usize) -> Option<Self> {
        if number < CUSTOM_KINDS { u8::try_from(TABLE.len() + number).ok().map(Self) } else { None }
    }

    /// Which added kind this is.
    pub(super) fn custom_number(self) -> Option<usize> {
        usize::from(self.0).checked_sub(TABLE.len())
    }

    pub(super) fn info(self) -> Option<&'static KindInfo> {
        TABLE.get(usize::from(self.0))
    }

    /// The stable id; `custom` for kinds whose ids only their detector knows ([`super::Detector::id`]).
    pub fn id(self) -> &'static str {
        self.info().map_or("custom", |info| info.id)
    }

    /// Which group it belongs to.
    pub fn family(self) -> Family {
        self.info().map_or(Family::Custom, |info| info.family)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.custom_number() {
            None => f.write_str(self.id()),
            Some(number) => write!(f, "custom-{number}"),
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct KindSet(u128);

impl KindSet {
    /// No kind.
    pub const EMPTY: Self = Self(0);

    /// Every kind, also those that files of recognisers add.
    pub const ALL: Self = Self(u128::MAX);

    /// The kinds that most texts hold: [`Family::Common`].
    pub fn common() -> Self {
        Kind::ALL.iter().copied().filter(|kind| kind.family() == Family::Common).collect()
    }

    /// The set with one kind more.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind.0)
    }

    /// Whether the kind is in it.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 >> kind.0 & 1 == 1
    }

    /// Its built-in kinds, in order.
    pub fn kinds(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.has(*kind))
    }

    /// Whether a kind is in both.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for KindSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Kind::ALL.iter().filter(|kind| self.has(**kind))).finish()
    }
}
