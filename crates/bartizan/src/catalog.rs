//! Every error id, with what it means and what to do; `bartizan explain BZ-0301` reads from here.

/// One kind of error.
pub(crate) struct Explained {
    /// The stable id.
    pub(crate) id: &'static str,
    /// What happened, in a few words.
    pub(crate) title: &'static str,
    /// What it means.
    pub(crate) meaning: &'static str,
    /// What to do next.
    pub(crate) next: &'static str,
}

macro_rules! catalog {
    ($($name:ident $id:literal $title:literal $meaning:literal $next:literal;)*) => {
        /// The ids by name.
        pub(crate) mod ids {
            $(pub(crate) const $name: &str = $id;)*
        }

        /// Every error id, ascending.
        pub(crate) const CATALOG: &[Explained] = &[
            $(Explained { id: $id, title: $title, meaning: $meaning, next: $next },)*
        ];
    };
}

catalog! {
    USAGE "BZ-0001" "usage" "The command line or request is not what the command takes." "bartizan --help";
    CONFIGURATION "BZ-0002" "configuration" "bartizan.toml or a BARTIZAN_ variable holds an unknown key or a value that cannot be meant." "bartizan config show --origin";
    INVALID "BZ-0003" "invalid request" "A name, number or text in the request cannot be meant." "mend the request and repeat it";
    FILE "BZ-0004" "file" "A file that the command needs cannot be read or written." "check the path and its permissions";
    INTERNAL "BZ-0009" "defect" "Bartizan found itself in a state that should not be. Nothing took effect." "report it with the lines above";
    NO_DATA_DIRECTORY "BZ-0101" "no data directory" "There is no data directory where the command looked." "bartizan init --data-dir DIR";
    EXISTS "BZ-0102" "exists already" "A data directory is made once; nothing is ever replaced." "name another directory with --data-dir";
    LOCKED "BZ-0103" "in use" "Another process holds the data directory, and two writers would contradict each other." "wait for it, or go through `bartizan up` with BARTIZAN_TOKEN";
    TOO_NEW "BZ-0104" "newer version" "The data directory was written by a newer Bartizan." "use that version";
    ROOT_KEY "BZ-0105" "root key" "The root key is missing, exposed to others, or the passphrase is wrong." "check the keys directory and its mode, and the passphrase";
    STORAGE "BZ-0106" "storage" "The storage failed; it may be full." "make room or mend the disk, then repeat the command";
    CLOCK "BZ-0107" "clock" "This machine's clock is far behind the last statement in the ledger, so new times would lie. Quarantine, revocation and withdrawal of access go through all the same." "set the clock; if it was ahead when something was written, wait until that time";
    NOT_AUTHENTICATED "BZ-0201" "not authenticated" "The request came without a credential that counts: without any, with one that was never given out, or with one that has ended." "set BARTIZAN_TOKEN to your API key";
    REFUSED "BZ-0202" "not allowed" "The access policy says no. The decision is recorded in the ledger." "ask an admin; docs/policy.md says who may do what";
    NOT_FOUND "BZ-0203" "not found" "There is no such thing, or it is not yours to know of." "bartizan status";
    CONFLICT "BZ-0204" "not possible now" "What was asked for is not possible in the present state." "look at the state with `show`, then decide anew";
    NOT_READY "BZ-0205" "not ready for release" "In tier release granting a guarded role takes two admins, and approving takes an approver. Keys that somebody else issued end with tier explore, keys without the scopes for that do not count, and there is no way back to it." "bartizan access user add WHO, access key create WHO --enrol, access role grant WHO admin";
    CONTENT_CHANGED "BZ-0301" "content changed" "Stored content is not what was stored: a byte was changed, or the content was erased." "restore what is named from a backup of the data directory, then run the command again; `bartizan model verify NAME:VERSION` reads the files of a model, `bartizan ledger fsck` ledger and records";
    MODEL_SIGNATURE "BZ-0302" "model signature" "The signature over the model's files does not hold." "bartizan model quarantine NAME:VERSION --reason TEXT";
    PUBLISHER_SIGNATURE "BZ-0303" "publisher signature" "The bundle is not a signature of these files by the key that you named." "get files, bundle and key from the publisher again";
    MODEL_FILES "BZ-0304" "model files" "The files do not make a model: a link, a special file, an absolute or climbing path, or one that cannot be read." "mend the directory and import again";
    DELIVERY "BZ-0311" "delivery" "A delivery cannot be read to its end, so there is no verdict on it." "mend the file at the place named, then repeat the command";
    SCHEMA "BZ-0312" "schema" "The schema is not one, or a rule in it cannot be meant." "mend the schema at the place named";
    RECOGNISERS "BZ-0313" "recognisers" "The file of recognisers is not one, or a recogniser in it cannot be meant." "mend the file at the place named; docs/formats/recognisers-toml.md says what may stand there";
    SIGNATURE_MISSING "BZ-0314" "delivery not signed" "The data set takes deliveries alone that their source has signed, and one came without a signature. That is recorded; nothing was accepted." "bartizan data sign FILE --key KEY --out FILE.sig, at the source; then data add ... --signature FILE.sig";
    SIGNATURE_WRONG "BZ-0315" "signature of a delivery" "The signature was not made by a key of this source over these bytes and for this data set. That is recorded; nothing was accepted." "get file and signature from the source again; `bartizan data source show NAME` lists its keys";
    SIGNATURE_REVOKED "BZ-0316" "revoked key" "The delivery was signed with a key of its source that is revoked: whoever has it may not be the source. That is recorded; nothing was accepted." "ask the source to sign with its present key; `bartizan data source trust NAME --key FILE` trusts a new one";
    OPENLINEAGE "BZ-0317" "events of OpenLineage" "A line of the file is no event of OpenLineage, or the file is beyond a limit. Nothing was stated." "mend the line named, or import fewer events at once";
    DRIFT "BZ-0318" "comparison" "The tables cannot be compared as the command says: a column that it names is missing, there is nothing to compare, or a limit is passed. There is no verdict." "mend the options named; `bartizan data profile FILE` lists the columns";
    WATCH "BZ-0319" "state of a watch" "The file is not the state of a watch, or cannot be written. Nothing was remembered of this run." "name the file that an earlier run wrote, or a new one to begin anew";
    OBJECT "BZ-0320" "object" "A file in an object store, or on a web server, is not there, its URL is none that is read, or what the environment says of its store cannot be used." "write the URL as docs/sources.md lists them";
    RUN "BZ-0321" "training run" "The sandbox could not run the command, or what it left cannot be taken." "bartizan run show RUN tells what is known";
    ISOLATION "BZ-0322" "isolation missing" "This machine does not give everything that full isolation needs." "run as root, or enable unprivileged user namespaces and Landlock";
    ISOLATION_REQUIRED "BZ-0323" "isolation required" "The demo was to end with an error where jobs cannot be isolated fully, and this machine does not give everything that this needs." "enable what is missing, or leave `--require-isolation` away";
    OBJECT_DENIED "BZ-0324" "object not allowed" "A file in an object store, or on a web server, may not be read with the credentials that the environment holds for it, if it holds any. Web servers are sent none." "set what the tools of the store read from the environment (AWS_*, GOOGLE_*, AZURE_*); docs/sources.md lists it";
    OBJECT_UNREACHABLE "BZ-0325" "object out of reach" "The object store or the web server does not answer, or answers with an error of its own." "see whether the server answers, then repeat the command";
    INFER_REQUEST "BZ-0331" "inference request" "The body is not a request that this model takes: its form, names, types or shapes." "GET /v2/models/ENDPOINT says what it takes";
    INFER_BEYOND "BZ-0332" "beyond training" "The request holds values unlike those of the training data, and the endpoint refuses such." "look at the values, or route the endpoint with `--beyond flag`";
    INFER_UNAVAILABLE "BZ-0333" "nobody answers" "Neither the model of the endpoint nor its fallback can answer now." "bartizan endpoint show ENDPOINT";
    INFER_BUSY "BZ-0334" "too busy" "So many large predictions are being made that this one did not get its turn in time. It left no record." "repeat the request later; send fewer at once, or fewer rows in each";
    INFER_NO_ANSWER "BZ-0335" "no answer for these values" "The model, and what stands in for it, have no finite answer for the values of this request, often because one is missing. The request is recorded; asking again gives the same." "look at the values; a constant answers them too: bartizan endpoint route ENDPOINT --model VERSION --fallback-constant FILE";
    ROUTE "BZ-0340" "route cannot be served" "The model, its fallback, the comparison with the training data or the columns that are named do not make an endpoint that can answer. Nothing was routed." "mend what is named and route again; `bartizan model show NAME:VERSION` tells more of a model";
    RECORD_DAMAGED "BZ-0350" "record damaged" "A stored record of a prediction, or the segment that it is in, is not what was written." "bartizan ledger fsck names what is damaged; restore that file from a backup";
    DESTROYED_EVIDENCE "BZ-0351" "destroyed evidence" "What is personal in a record cannot be read any more, or a whole segment is missing, and no statement in the ledger says that it was to be." "restore keys and segments from a backup, and find out who destroyed them";
    NOT_ERASED "BZ-0352" "erasure undone" "What was erased can be read again: a copy of the keys from before the erasure was put back." "bartizan predictions erase for the same person once more, and destroy the copy";
    NOT_CONFIRMED "BZ-0353" "not confirmed" "What the command does cannot be undone, so it asks first, and nobody said yes." "repeat it with --yes";
    VIEWERS "BZ-0360" "too many viewers" "As many pages as this server keeps up to date are open; the page itself works, and is up to date when it is loaded." "close pages that nobody looks at, then load the page again";
    LEDGER_DAMAGED "BZ-0401" "ledger damaged" "Bytes of the ledger do not hash to its signed checkpoint." "bartizan ledger fsck, then restore the ledger from a backup";
    LEDGER_FORKED "BZ-0402" "ledger rolled back" "The ledger is smaller than, or contradicts, one that this data directory has seen." "find out who put an older copy back; restore the newest one";
    LEDGER_STOPPED "BZ-0403" "ledger writer stopped" "A write to the ledger failed, and nothing is written after that until it is opened again." "mend the storage, then start `bartizan up` again, or repeat the command if none runs";
    NOT_YOURS "BZ-0404" "not found, or not yours" "The console has no such page for you." "go back to the list of models";
    INDEX_DIFFERS "BZ-0411" "index differs" "The SQL index says something that does not follow from the ledger. It grants nothing, but nothing is served while it lies." "bartizan ledger rebuild";
    PROOF_MALFORMED "BZ-0501" "not a proof" "The file is not a proof file of a version this program knows." "ask for the file again";
    PROOF_CHECKPOINT "BZ-0502" "foreign checkpoint" "The proof is of another ledger than the trust file's, or too few trusted keys signed its checkpoint." "compare the trust file with the one its owner publishes";
    PROOF_TRUST "BZ-0503" "trust file" "The trust file cannot be read." "ask for the trust file again";
    PROOF_SMALLER "BZ-0504" "smaller tree" "The proof's tree is smaller than the trust file asks for, or than one this verifier has seen: the proof is older than that, or the log was rolled back." "bartizan prove WHAT --out FILE makes a proof of the ledger as it is now; if that one is smaller too, the log was rolled back";
    PROOF_REWRITTEN "BZ-0505" "rewritten tree" "The proof's tree contradicts one this verifier has seen: history was rewritten." "stop trusting this ledger";
    PROOF_CONSISTENCY "BZ-0506" "no consistency proof" "The proof does not show that its tree continues the one this verifier has seen." "ask for a proof made with `--since` the size named above";
    PROOF_ORDER "BZ-0507" "entries out of order" "The proof's entries do not ascend." "ask for the file again";
    PROOF_NOT_INCLUDED "BZ-0508" "entry not in the tree" "An entry of the proof is not in the tree that the checkpoint signs: it was edited or moved." "ask for the file again";
    PROOF_STATEMENT "BZ-0509" "statement" "A statement in the proof is not signed by a key that the root key granted it to, or contradicts an earlier one." "ask its owner which statements are missing";
    PROOF_PROJECT "BZ-0510" "other project" "The statements are of another project than the trust file's." "use the trust file of that project";
    PROOF_DEVELOPMENT "BZ-0511" "development keys" "The project uses development keys, which anybody with access to its machine could have copied." "verify with --allow-development if that is what you expect";
    PROOF_OPENING "BZ-0512" "opened document" "A document in the proof is missing, or not the one that a statement committed to." "ask for the file again";
    PROOF_SIGNATURE "BZ-0513" "model signature" "The model's signature in the proof does not hold." "do not use the model";
    PROOF_CLAIM "BZ-0514" "claim" "The statements do not give what the proof claims." "ask for the file again";
    PROOF_LEFT_OUT "BZ-0515" "something left out" "The proof's state map does not confirm its statements: a later change, such as a quarantine, was cut out, or the map was edited." "ask its owner, not who handed it on, for the proof";
    PROOF_EXPECTED "BZ-0516" "not what was asked for" "The proof holds, but it is of another version or model, or of another state, than the one it must be of." "look at what it proves: `bartizan verify` with `--state any`, and without --of, --model and --prediction";
    PROOF_RECORD "BZ-0517" "prediction's record" "The record of the prediction was changed, is not in its segment, or says something that the ledger contradicts." "ask for the file again";
    PROOF_RECEIPT "BZ-0518" "receipt" "The receipt was not given by the gateway for this record and this answer." "compare receipt and answer with what the gateway sent; if both are its own, the record was replaced";
    PROOF_REPLAY "BZ-0519" "replay" "The model, run again on what was asked, does not give what was answered, or cannot be run." "bartizan prove PREDICTION --show input --out FILE, then verify it with --model PATH --replay";
    PLAIN_CONNECTION "BZ-0601" "connection in clear" "The server is on another machine, and over plain HTTP everybody in between would read your API key and your data." "ssh -N -L 7878:127.0.0.1:7878 HOST, then name http://127.0.0.1:7878";
    NO_TLS "BZ-0602" "no TLS" "This command line speaks no TLS. A TLS proxy in front of `bartizan up` serves browsers and other clients over https://; this one reaches another machine through a tunnel that ends here." "ssh -N -L 7878:127.0.0.1:7878 HOST, then name http://127.0.0.1:7878";
    UNREACHABLE "BZ-0603" "no answer" "The server did not answer, or not in time. What was asked for may have taken effect all the same." "see whether `bartizan up` runs and how things stand with `show`, then decide anew";
    OTHER_SERVER "BZ-0604" "another server" "Who listens at the address in the lock file could not show that it holds the data directory, so your API key was not sent." "find out who listens there; `bartizan up` may have ended a moment ago";
    SLOW "BZ-0605" "too slow" "The request arrived too slowly, and its place was needed for others." "mend the connection and repeat the request";
    FOREIGN_DIRECTORY "BZ-0606" "somebody else's directory" "The data directory belongs to another user, or others may write in it. It could name a server that collects API keys, so it is not asked for one." "name your own with --data-dir, or the server with --server";
}

/// The entry of an id, with or without its `BZ-`.
pub(crate) fn find(id: &str) -> Option<&'static Explained> {
    let digits = |entry: &Explained| entry.id.strip_prefix("BZ-") == Some(id);
    CATALOG.iter().find(|entry| entry.id.eq_ignore_ascii_case(id) || digits(entry))
}
