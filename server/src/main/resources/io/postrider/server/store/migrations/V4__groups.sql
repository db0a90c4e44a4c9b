-- Live sets of devices and users. stays_until: a till stays as long as its token is valid.
CREATE TABLE groups (
    id     ${rowid} PRIMARY KEY,
    app_id BIGINT NOT NULL,
    name   TEXT NOT NULL
);
CREATE UNIQUE INDEX groups_by_name ON groups (app_id, name);

CREATE TABLE group_devices (
    group_id    BIGINT NOT NULL,
    number      INTEGER NOT NULL,
    app_id      BIGINT NOT NULL,
    stays_until BIGINT NOT NULL,
    PRIMARY KEY (group_id, number)
) ${clustered};
CREATE INDEX groups_of_device ON group_devices (app_id, number);

CREATE TABLE group_users (
    group_id  BIGINT NOT NULL,
    user_name TEXT NOT NULL,
    app_id    BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_name)
) ${clustered};
CREATE INDEX groups_of_user ON group_users (app_id, user_name);

-- Messages to groups (messages.kind 4), of which the first ack of each group settles it there.
-- state 0 open, 1 settled, 3 recalled; expiry is computed. filter: which of the devices see it.
CREATE TABLE settlements (
    message_id BIGINT NOT NULL,
    group_id   BIGINT NOT NULL,
    state      SMALLINT NOT NULL,
    winner     INTEGER,
    at         BIGINT,
    opened_at  BIGINT,
    PRIMARY KEY (message_id, group_id)
) ${clustered};
ALTER TABLE messages ADD COLUMN filter TEXT;

-- Where the devices of a group look: what is open, and what was settled lately.
CREATE TABLE group_mailboxes (
    group_id   BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, message_id)
) ${clustered};

-- Who had a message to groups before him, as a member of which.
CREATE TABLE presentations (
    message_id BIGINT NOT NULL,
    number     INTEGER NOT NULL,
    group_id   BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (message_id, number, group_id)
) ${clustered};

-- What lets a till of a shop in, and which one each till came with last.
CREATE TABLE till_tokens (
    token_hash ${blob} PRIMARY KEY,
    app_id     BIGINT NOT NULL,
    group_id   BIGINT NOT NULL,
    staff      TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX till_tokens_of_group ON till_tokens (group_id);
CREATE INDEX till_tokens_of_app ON till_tokens (app_id);

CREATE TABLE tills (
    app_id     BIGINT NOT NULL,
    number     INTEGER NOT NULL,
    token_hash ${blob} NOT NULL,
    PRIMARY KEY (app_id, number)
) ${clustered};
CREATE INDEX tills_by_token ON tills (token_hash);
