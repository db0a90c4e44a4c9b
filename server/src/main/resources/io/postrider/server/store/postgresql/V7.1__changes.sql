-- What nodes tell each other beside new messages, with ids from the same sequence, for an hour.
-- kind 1 recalled, 2 settled, 3 joined, 4 revoked, 5 displaced, 6 app; ref: a message or a generation.
CREATE TABLE changes (
    id          BIGINT PRIMARY KEY,
    incarnation BIGINT NOT NULL,
    kind        SMALLINT NOT NULL,
    app_id      BIGINT NOT NULL,
    number      INTEGER NOT NULL,
    ref         BIGINT NOT NULL,
    recipients  BYTEA
);

-- Who is connected, to whichever node.
CREATE INDEX sessions_open ON sessions (app_id, number) WHERE ended_at IS NULL;

-- When the hourly purge was last begun by one of the nodes.
INSERT INTO sequences (name, last) VALUES ('purge', 0);
