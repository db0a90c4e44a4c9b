-- For every engine; what differs is a placeholder: ${rowid} the type of a key that rows are
-- appended by, ${blob} the type of bytes, ${clustered} rows kept in the order of their key.
-- Times are milliseconds since 1970. Ids of messages are in commit order.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE sequences (
    name TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

-- Each start of a server process; a session of an earlier one that never ended died at the next.
CREATE TABLE incarnations (
    id            ${rowid} PRIMARY KEY,
    node          TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    started_after BIGINT NOT NULL
);

CREATE TABLE developers (
    id            ${rowid} PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE logins (
    token_hash   ${blob} PRIMARY KEY,
    developer_id BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX logins_by_expiry ON logins (expires_at);

CREATE TABLE apps (
    id             ${rowid} PRIMARY KEY,
    developer_id   BIGINT NOT NULL,
    name           TEXT NOT NULL,
    app_key        TEXT NOT NULL UNIQUE,
    secret_hash    ${blob} NOT NULL,
    token_key_id   INTEGER NOT NULL,
    token_key      ${blob} NOT NULL,
    open_users     SMALLINT NOT NULL,
    self_tags      SMALLINT NOT NULL,
    retention_days INTEGER NOT NULL,
    timezone       TEXT NOT NULL,
    last_number    INTEGER NOT NULL DEFAULT -1,
    audience_end   BIGINT NOT NULL DEFAULT 0,
    created_at     BIGINT NOT NULL
);

-- drained_to: nothing at or below it is pending. presented_to: what is pending at or below it may
-- have been presented before.
CREATE TABLE devices (
    app_id           BIGINT NOT NULL,
    number           INTEGER NOT NULL,
    device_id        TEXT NOT NULL,
    platform         TEXT NOT NULL,
    user_name        TEXT,
    tags             TEXT NOT NULL,
    locale           TEXT,
    timezone         TEXT,
    token_generation INTEGER NOT NULL DEFAULT 0,
    drained_to       BIGINT NOT NULL,
    presented_to     BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    last_seen_at     BIGINT,
    PRIMARY KEY (app_id, number)
) ${clustered};
CREATE UNIQUE INDEX devices_by_device_id ON devices (app_id, device_id);
CREATE INDEX devices_by_user ON devices (app_id, user_name) WHERE user_name IS NOT NULL;

-- What the audience index of each node is made of. gone: from here on, not a recipient of what was
-- resolved before (1: deleted, 2: another user's).
CREATE TABLE audience_changes (
    app_id       BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    number       INTEGER NOT NULL,
    gone         SMALLINT NOT NULL,
    old_platform TEXT,
    new_platform TEXT,
    removed_tags TEXT NOT NULL,
    added_tags   TEXT NOT NULL,
    PRIMARY KEY (app_id, seq)
) ${clustered};

CREATE TABLE audience_snapshots (
    app_id BIGINT PRIMARY KEY,
    seq    BIGINT NOT NULL,
    bits   ${blob} NOT NULL
);

CREATE TABLE sessions (
    app_id      BIGINT NOT NULL,
    number      INTEGER NOT NULL,
    generation  INTEGER NOT NULL,
    incarnation BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    end_reason  TEXT,
    PRIMARY KEY (app_id, number, generation)
) ${clustered};

-- kind 1: for one device, whose pointer is in this row (number, state, at, reason). 2: for a few,
-- with a row each in deliveries. 3: for many, as sets in message_sets and set_ends.
-- state 0 pending, 1 delivered, 2 opened, 3 recalled, 4 failed; expiry is computed.
CREATE TABLE messages (
    id          ${rowid} PRIMARY KEY,
    app_id      BIGINT NOT NULL,
    kind        SMALLINT NOT NULL,
    number      INTEGER,
    state       SMALLINT,
    at          BIGINT,
    opened_at   BIGINT,
    reason      TEXT,
    names_users SMALLINT NOT NULL,
    wants_ack   SMALLINT NOT NULL,
    online_only SMALLINT NOT NULL,
    targeted    INTEGER NOT NULL,
    written     INTEGER NOT NULL DEFAULT 0,
    folded_to   BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    recalled_at BIGINT,
    audience    TEXT NOT NULL,
    options     TEXT NOT NULL,
    content     ${blob} NOT NULL,
    request_id  TEXT NOT NULL
);
CREATE INDEX messages_of_app ON messages (app_id, id);
CREATE INDEX messages_pending ON messages (app_id, number, id) WHERE state = 0;
CREATE INDEX messages_recalled ON messages (app_id, recalled_at) WHERE recalled_at IS NOT NULL;

CREATE TABLE deliveries (
    message_id BIGINT NOT NULL,
    number     INTEGER NOT NULL,
    app_id     BIGINT NOT NULL,
    state      SMALLINT NOT NULL,
    at         BIGINT,
    opened_at  BIGINT,
    reason     TEXT,
    PRIMARY KEY (message_id, number)
) ${clustered};
CREATE INDEX deliveries_pending ON deliveries (app_id, number, message_id) WHERE state = 0;

-- For messages to many: the low 16 bits of device numbers, a row for each 65,536 of them.
-- outcome 0 recipients, 1 delivered, 2 opened, 4 failed (as folded so far).
CREATE TABLE message_sets (
    app_id     BIGINT NOT NULL,
    piece      INTEGER NOT NULL,
    message_id BIGINT NOT NULL,
    outcome    SMALLINT NOT NULL,
    bits       ${blob} NOT NULL,
    PRIMARY KEY (app_id, piece, message_id, outcome)
) ${clustered};

-- The log of their ends: which devices, in which commit. Each device is in at most one row of each
-- outcome, and delivered and failed exclude each other.
CREATE TABLE set_ends (
    message_id BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    outcome    SMALLINT NOT NULL,
    at         BIGINT NOT NULL,
    devices    INTEGER NOT NULL,
    reason     TEXT,
    bits       ${blob} NOT NULL,
    PRIMARY KEY (message_id, seq)
) ${clustered};

CREATE TABLE idempotency_keys (
    app_id     BIGINT NOT NULL,
    idem_key   TEXT NOT NULL,
    body_hash  ${blob} NOT NULL,
    message_id BIGINT NOT NULL,
    targeted   INTEGER NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (app_id, idem_key)
) ${clustered};
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
