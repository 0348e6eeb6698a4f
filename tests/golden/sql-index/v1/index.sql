PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE aliases (
    model   TEXT NOT NULL,
    alias   TEXT NOT NULL,
    version INTEGER NOT NULL,
    entry   INTEGER NOT NULL,
    PRIMARY KEY (model, alias),
    FOREIGN KEY (model, version) REFERENCES models (name, version) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
INSERT INTO "aliases" VALUES('fraud','prod',1,9);
CREATE TABLE api_keys (
    id         TEXT NOT NULL PRIMARY KEY,
    principal  TEXT NOT NULL REFERENCES principals (id) DEFERRABLE INITIALLY DEFERRED,
    status     TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    entry      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "api_keys" VALUES('k1','usr_22222222222222222222222222222222','active',1700000001000,3);
CREATE TABLE approvals (
    model    TEXT NOT NULL,
    version  INTEGER NOT NULL,
    approver TEXT NOT NULL,
    covers   TEXT NOT NULL,
    entry    INTEGER NOT NULL,
    PRIMARY KEY (model, version, approver, covers),
    FOREIGN KEY (model, version) REFERENCES models (name, version) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
INSERT INTO "approvals" VALUES('fraud',1,'usr_11111111111111111111111111111111','f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1',8);
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
INSERT INTO "datasets" VALUES('payments',1,'d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1',100000,2,'valid',1700000000004,4);
CREATE TABLE entries (
    idx            INTEGER PRIMARY KEY CHECK (idx >= 0),
    predicate_type TEXT NOT NULL,
    subject        TEXT NOT NULL,
    signer         TEXT NOT NULL,
    at_ms          INTEGER NOT NULL
) STRICT;
INSERT INTO "entries" VALUES(0,'https://bartizan.dev/role/v1','0101010101010101010101010101010101010101010101010101010101010101','a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1',1700000000000);
INSERT INTO "entries" VALUES(11,'https://slsa.dev/provenance/v1','0202020202020202020202020202020202020202020202020202020202020202','a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2',1700000000011);
CREATE TABLE head (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    applied_size INTEGER NOT NULL CHECK (applied_size >= 0),
    applied_root TEXT NOT NULL
) STRICT;
INSERT INTO "head" VALUES(1,12,'c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0');
CREATE TABLE lineage (
    from_kind TEXT NOT NULL,
    from_id   TEXT NOT NULL,
    to_kind   TEXT NOT NULL,
    to_id     TEXT NOT NULL,
    relation  TEXT NOT NULL,
    entry     INTEGER NOT NULL,
    PRIMARY KEY (from_kind, from_id, to_kind, to_id, relation)
) STRICT, WITHOUT ROWID;
INSERT INTO "lineage" VALUES('dataset','payments:1','model','fraud:1','trained-on',5);
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
INSERT INTO "models" VALUES('fraud',1,'e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1','approved','high',1700000000005,5,8);
CREATE TABLE principals (
    id          TEXT NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('person', 'service', 'workload')),
    responsible TEXT,
    status      TEXT NOT NULL,
    since_entry INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "principals" VALUES('usr_11111111111111111111111111111111','person',NULL,'active',0);
INSERT INTO "principals" VALUES('usr_22222222222222222222222222222222','service','usr_11111111111111111111111111111111','suspended',7);
CREATE TABLE roles (
    principal  TEXT NOT NULL REFERENCES principals (id) DEFERRABLE INITIALLY DEFERRED,
    role       TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    entry      INTEGER NOT NULL,
    PRIMARY KEY (principal, role)
) STRICT, WITHOUT ROWID;
INSERT INTO "roles" VALUES('usr_11111111111111111111111111111111','admin','usr_11111111111111111111111111111111',0);
CREATE TABLE schema_history (number INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO "schema_history" VALUES(1,'index of the ledger');
CREATE TABLE signing_keys (
    id        TEXT NOT NULL PRIMARY KEY,
    purpose   TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    status    TEXT NOT NULL,
    entry     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "signing_keys" VALUES('a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1','access','ecdsa-p256-sha256','active',0);
CREATE INDEX entries_by_predicate_type ON entries (predicate_type, idx);
CREATE INDEX entries_by_subject ON entries (subject, idx);
CREATE INDEX entries_by_signer ON entries (signer, idx);
CREATE INDEX principals_by_responsible ON principals (responsible, id);
CREATE INDEX roles_by_role ON roles (role, principal);
CREATE INDEX api_keys_by_principal ON api_keys (principal, id);
CREATE INDEX signing_keys_by_purpose ON signing_keys (purpose, id);
CREATE INDEX datasets_by_root ON datasets (root, name, version);
CREATE INDEX datasets_by_entry ON datasets (entry, name, version);
CREATE INDEX lineage_by_target ON lineage (to_kind, to_id, from_kind, from_id, relation);
CREATE INDEX models_by_manifest ON models (manifest, name, version);
CREATE INDEX models_by_state ON models (state, name, version);
CREATE INDEX models_by_entry ON models (entry, name, version);
CREATE INDEX aliases_by_version ON aliases (model, version, alias, entry);
CREATE INDEX approvals_by_approver ON approvals (approver, model, version, covers);
COMMIT;
