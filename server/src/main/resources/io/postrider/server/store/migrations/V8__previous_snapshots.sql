-- Up to where the log may be deleted: what the snapshot before this one held.
ALTER TABLE audience_snapshots ADD COLUMN previous BIGINT NOT NULL DEFAULT 0;

INSERT INTO meta (name, value) VALUES ('runs_beside_8', '7');
