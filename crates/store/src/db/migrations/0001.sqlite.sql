-- The index of the ledger. Every row follows from ledger statements; `ledger rebuild` makes them all anew.
-- Times are milliseconds since 1970. "entry" is the position of the ledger entry that a row follows from.
-- Foreign keys are checked at commit, so that the order of changes within a transaction does not matter.

CREATE TABLE head (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    applied_size INTEGER NOT NULL CHECK (applied_size >= 0),
    applied_root TEXT NOT NULL
) STRICT;
-- The empty tree: RFC 6962 gives it the digest of no bytes.
INSERT INTO head VALUES (1, 0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

CREATE TABLE entries (
    idx            INTEGER PRIMARY KEY CHECK (idx >= 0),
    predicate_type TEXT NOT NULL,
    subject        TEXT NOT NULL,
    signer         TEXT NOT NULL,
    at_ms          INTEGER NOT NULL
) STRICT;
CREATE INDEX entries_by_predicate_type ON entries (predicate_type, idx);
CREATE INDEX entries_by_subject ON entries (subject, idx);
CREATE INDEX entries_by_signer ON entries (signer, idx);

CREATE TABLE principals (
    id          TEXT NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('person', 'service', 'workload')),
    responsible TEXT,
    status      TEXT NOT NULL,
    since_entry INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX principals_by_responsible ON principals (responsible, id);

CREATE TABLE roles (
    principal  TEXT NOT NULL REFERENCES principals (id) DEFERRABLE INITIALLY DEFERRED,
    role       TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    entry      INTEGER NOT NULL,
    PRIMARY KEY (principal, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX roles_by_role ON roles (role, principal);

CREATE TABLE api_keys (
    id         TEXT NOT NULL PRIMARY KEY,
    principal  TEXT NOT NULL REFERENCES principals (id) DEFERRABLE INITIALLY DEFERRED,
    status     TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    entry      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_principal ON api_keys (principal, id);

CREATE TABLE signing_keys (
    id        TEXT NOT NULL PRIMARY KEY,
    purpose   TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    status    TEXT NOT NULL,
    entry     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX signing_keys_by_purpose ON signing_keys (purpose, id);

CREATE TABLE datasets (
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    root       TEXT NOT NULL,
    rows       INTEGER NOT NULL,
    parts      INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    entry      INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX datasets_by_root ON datasets (root, name, version);
CREATE INDEX datasets_by_entry ON datasets (entry, name, version);

CREATE TABLE lineage (
    from_kind TEXT NOT NULL,
    from_id   TEXT NOT NULL,
    to_kind   TEXT NOT NULL,
    to_id     TEXT NOT NULL,
    relation  TEXT NOT NULL,
    entry     INTEGER NOT NULL,
    PRIMARY KEY (from_kind, from_id, to_kind, to_id, relation)
) STRICT, WITHOUT ROWID;
CREATE INDEX lineage_by_target ON lineage (to_kind, to_id, from_kind, from_id, relation);

CREATE TABLE models (
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    manifest    TEXT NOT NULL,
    state       TEXT NOT NULL,
    sensitivity TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    entry       INTEGER NOT NULL,
    state_entry INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX models_by_manifest ON models (manifest, name, version);
CREATE INDEX models_by_state ON models (state, name, version);
CREATE INDEX models_by_entry ON models (entry, name, version);

CREATE TABLE aliases (
    model   TEXT NOT NULL,
    alias   TEXT NOT NULL,
    version INTEGER NOT NULL,
    entry   INTEGER NOT NULL,
    PRIMARY KEY (model, alias),
    FOREIGN KEY (model, version) REFERENCES models (name, version) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
-- With the entry, so that it holds whole rows: else the planner prefers to read all aliases of the model.
CREATE INDEX aliases_by_version ON aliases (model, version, alias, entry);

CREATE TABLE approvals (
    model    TEXT NOT NULL,
    version  INTEGER NOT NULL,
    approver TEXT NOT NULL,
    covers   TEXT NOT NULL,
    entry    INTEGER NOT NULL,
    PRIMARY KEY (model, version, approver, covers),
    FOREIGN KEY (model, version) REFERENCES models (name, version) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_approver ON approvals (approver, model, version, covers);
