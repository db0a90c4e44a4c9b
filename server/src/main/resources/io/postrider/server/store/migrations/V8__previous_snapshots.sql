-- Sets of a message are found without a look at each 65,536 device numbers that the app has given.
CREATE INDEX IF NOT EXISTS message_sets_of_message ON message_sets (message_id);

-- Up to where the log may be deleted: what the snapshot before this one held.
ALTER TABLE audience_snapshots ADD COLUMN previous BIGINT NOT NULL DEFAULT 0;

INSERT INTO meta (name, value) VALUES ('runs_beside_8', '7');
