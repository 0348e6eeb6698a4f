"""Compares the checks of personal data with python-stdnum, phonenumbers and what Faker makes up: check.py EXAMPLE [-v].

EXAMPLE is the program `cargo build --release -p bartizan-data --example pii` makes. For every kind with a check, both
sides judge the same numbers: drawn at random in the kind's form, and repaired until the other side calls them valid.
They must agree on every one, except where `AGREED` says why they may not.
"""

import random
import subprocess
import sys
from importlib import import_module

import phonenumbers
from faker import Faker

EXAMPLE = sys.argv[1]
verbose = "-v" in sys.argv
random.seed(7)

# Our kind, the module of stdnum, and the form without separators: `d` digit, `A` letter, `Y M D` parts of a date.
KINDS = [
    ("card", "luhn", None),
    ("iban", "iban", None),
    ("us-ssn", "us.ssn", "ddddddddd"),
    ("uk-nhs", "gb.nhs", "dddddddddd"),
    ("es-dni", "es.dni", "ddddddddA"),
    ("es-nie", "es.nie", "XdddddddA"),
    ("it-codice-fiscale", "it.codicefiscale", "AAAAAAYLDAdddA"),
    ("fr-nir", "fr.nir", "1YM75dddddddd"),
    ("de-steuer-id", "de.idnr", "ddddddddddd"),
    ("nl-bsn", "nl.bsn", "ddddddddd"),
    ("se-personnummer", "se.personnummer", "YMD-dddd"),
    ("fi-hetu", "fi.hetu", "DMY-dddA"),
    ("no-fodselsnummer", "no.fodselsnummer", "DMYddddd"),
    ("pl-pesel", "pl.pesel", "YMDddddd"),
    ("br-cpf", "br.cpf", "ddddddddddd"),
    ("in-aadhaar", "in_.aadhaar", "dddddddddddd"),
    ("ca-sin", "ca.sin", "ddddddddd"),
    ("au-tfn", "au.tfn", "ddddddddd"),
    ("be-rrn", "be.nn", "YMDddddd"),
    ("pt-nif", "pt.nif", "2dddddddd"),
    ("ch-ahv", "ch.ssn", "756dddddddddd"),
    ("ie-pps", "ie.pps", "dddddddA"),
    ("tr-tckn", "tr.tckimlik", "ddddddddddd"),
    ("za-id", "za.idnr", "YMDdddd0dd"),
    ("kr-rrn", "kr.rrn", "YMD-1dddddd"),
    ("cn-ric", "cn.ric", "11010119YMDdddd"),
    ("cz-rc", "cz.rc", "YMD/dddd"),
    ("ro-cnp", "ro.cnp", "1YMD12dddd"),
    ("bg-egn", "bg.egn", "YMDdddd"),
    ("hr-oib", "hr.oib", "ddddddddddd"),
    ("ee-isikukood", "ee.ik", "3YMDdddd"),
]

# Where we take more than stdnum does, and why. Everywhere else both must agree on every number.
MORE = {
    "fi-hetu": "stdnum leaves out temporary numbers, from 900",
    "no-fodselsnummer": "stdnum leaves out individual numbers that do not fit the century",
    "be-rrn": "stdnum leaves out births after today",
    "kr-rrn": "stdnum leaves out numbers without a check digit, given since October 2020, and places of birth above 96",
}


def draw(form):
    out = ""
    for letter in form:
        if letter == "d":
            out += random.choice("0123456789")
        elif letter == "A":
            out += random.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        elif letter == "L":
            out += random.choice("ABCDEHLMPRST")
        elif letter == "Y":
            out += f"{random.randint(30, 89):02}"
        elif letter == "M":
            out += f"{random.randint(1, 12):02}"
        elif letter == "D":
            out += f"{random.randint(1, 28):02}"
        else:
            out += letter
    return out


def ask(arguments, lines):
    answer = subprocess.run([EXAMPLE, *arguments], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


def national():
    failed = []
    for kind, name, form in KINDS:
        if form is None:
            continue
        module = import_module(f"stdnum.{name}")
        numbers = {draw(form) for _ in range(20_000)}
        # Of each number also those that differ in the last one or two places, so that many are valid.
        for number in list(numbers)[:150]:
            if form.endswith("A"):
                numbers.update(number[:-1] + letter for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            else:
                numbers.update(f"{number[:-2]}{last:02}" for last in range(100))
        numbers = sorted(numbers)
        ours = [answer == "1" for answer in ask(["valid", kind], numbers)]
        theirs = [module.is_valid(number) for number in numbers]
        wrong = [(n, o, t) for n, o, t in zip(numbers, ours, theirs) if o != t]
        # A number that they call valid and we do not is missed; the other way round it is a false alarm.
        missed = sum(t and not o for _, o, t in wrong)
        extra = sum(o and not t for _, o, t in wrong)
        note = MORE.get(kind, "")
        print(f"{kind:<20} {len(numbers):>6} numbers, {sum(theirs):>5} valid, {missed:>4} missed, {extra:>4} extra  {note}")
        if missed or (extra and not note):
            failed.append((kind, wrong[:5]))
    return failed


def phones():
    """Numbers of all regions that phonenumbers gives as examples are found; with three digits fewer they are not."""
    failed, lines, wanted = [], [], []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for sort in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(region, sort)
            if number is None or len(str(number.national_number)) < 5:
                continue
            for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
                lines.append(phonenumbers.format_number(number, form))
                wanted.append(region)
    found = ask(["find"], lines)
    missed = [(line, region) for line, region, answer in zip(lines, wanted, found) if not answer.startswith("phone:0:")]
    whole = sum(f"phone:0:{len(line)}:" in answer for line, answer in zip(lines, found))
    print(f"phone: {len(lines)} examples of {len(set(wanted))} regions, {whole} found whole, {len(missed)} missed")
    if len(missed) > 0.01 * len(lines):
        failed.append(("phone", missed[:10]))
    return failed


def card(faker):
    """A number that is issued: Faker also makes old ones of 12 digits, and such of JCB outside its range."""
    while len(number := faker.credit_card_number()) < 13 or (number[:2] == "35" and not "3528" <= number[:4] <= "3589"):
        pass
    return number


def made_up():
    """What Faker makes up for several countries is found when a word names it."""
    failed = []
    makers = [
        ("email", "E-mail", lambda f: f.ascii_safe_email(), ["en_US", "de_DE", "fr_FR", "ja_JP"]),
        ("iban", "IBAN", lambda f: f.iban(), ["de_DE", "en_GB", "fr_FR", "es_ES", "it_IT", "nl_NL"]),
        ("card", "card", card, ["en_US"]),
        ("us-ssn", "SSN", lambda f: f.ssn(), ["en_US"]),
        ("phone", "phone", lambda f: f.phone_number(), ["en_US", "en_GB", "fr_FR", "de_DE", "es_ES", "it_IT", "nl_NL", "pt_BR", "en_IN"]),
        ("ipv4", "address", lambda f: f.ipv4_public(), ["en_US"]),
        ("ipv6", "address", lambda f: f.ipv6(), ["en_US"]),
        ("mac-address", "MAC", lambda f: f.mac_address(), ["en_US"]),
        ("es-nie", "NIE", lambda f: f.nie(), ["es_ES"]),
        ("it-codice-fiscale", "codice fiscale", lambda f: f.ssn(), ["it_IT"]),
        ("fi-hetu", "hetu", lambda f: f.ssn(), ["fi_FI"]),
        ("no-fodselsnummer", "fnr", lambda f: f.ssn(), ["no_NO"]),
        ("se-personnummer", "personnummer", lambda f: f.ssn(), ["sv_SE"]),
        ("pl-pesel", "PESEL", lambda f: f.pesel(), ["pl_PL"]),
        ("br-cpf", "CPF", lambda f: f.cpf(), ["pt_BR"]),
        ("nl-bsn", "BSN", lambda f: f.ssn(), ["nl_NL"]),
        ("hr-oib", "OIB", lambda f: f.ssn(), ["hr_HR"]),
    ]
    for kind, word, make, places in makers:
        for place in places:
            faker = Faker(place)
            faker.seed_instance(3)
            values = [make(faker) for _ in range(500)]
            found = ask(["find"], [f"{word}: {value}" for value in values])
            missed = [value for value, answer in zip(values, found) if f"{kind}:" not in answer]
            recall = 1 - len(missed) / len(values)
            print(f"{kind:<20} {place}  recall {recall:.3f}")
            # Faker's telephone numbers follow forms, not plans: many of its area codes do not exist.
            if recall < (0.5 if kind == "phone" else 0.99):
                failed.append((kind, place, recall, missed[:5]))
            elif missed and verbose:
                print("   ", *missed[:8], sep="  ")
    return failed


failed = national() + phones() + made_up()
for failure in failed:
    print("FAILED", failure)
sys.exit(bool(failed))
