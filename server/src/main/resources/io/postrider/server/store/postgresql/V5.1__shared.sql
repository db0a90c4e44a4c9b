-- Several processes write here. Whoever does holds this row meanwhile; writer: who did last.
ALTER TABLE sequences ADD COLUMN writer BIGINT NOT NULL DEFAULT 0;
INSERT INTO sequences (name, last) VALUES ('messages', 0) ON CONFLICT DO NOTHING;

-- A partition for each day's ids, made with its first message.
ALTER TABLE messages RENAME TO messages_whole;
CREATE TABLE messages (LIKE messages_whole INCLUDING ALL) PARTITION BY RANGE (id);
DROP TABLE messages_whole;

CREATE INDEX message_sets_of_message ON message_sets (message_id);
