-- When the device connected, by its node's time: of two sessions, the one that counts connected later.
ALTER TABLE sessions ADD COLUMN connected_at BIGINT NOT NULL DEFAULT 0;
