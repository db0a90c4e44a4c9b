-- Origins whose pages may be devices of the app, one a line.
ALTER TABLE apps ADD COLUMN allowed_origins TEXT NOT NULL DEFAULT '';

-- When the device's tokens were last made void; theirs are refused without asking here.
ALTER TABLE devices ADD COLUMN tokens_revoked_at BIGINT;
CREATE INDEX devices_by_revocation ON devices (tokens_revoked_at)
    WHERE tokens_revoked_at IS NOT NULL;

-- What developers did. Written in the transaction of what was done.
CREATE TABLE audit (
    id           ${rowid} PRIMARY KEY,
    at           BIGINT NOT NULL,
    developer_id BIGINT NOT NULL,
    app_id       BIGINT,
    action       TEXT NOT NULL,
    detail       TEXT NOT NULL,
    address      TEXT NOT NULL,
    request_id   TEXT NOT NULL
);
CREATE INDEX audit_of_developer ON audit (developer_id, id);
CREATE INDEX audit_by_age ON audit (at);
