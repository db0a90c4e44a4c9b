-- What is pending for a device of messages to one or to a few, up to the id in sequences 'pending';
-- what is newer is in memory, and is found here by its state. Rows above that id may be here too.
CREATE TABLE pending (
    app_id     BIGINT NOT NULL,
    number     INTEGER NOT NULL,
    message_id BIGINT NOT NULL,
    PRIMARY KEY (app_id, number, message_id)
) ${clustered};

INSERT INTO pending (app_id, number, message_id)
    SELECT app_id, number, id FROM messages WHERE kind = 1 AND state = 0
    ORDER BY app_id, number, id;
INSERT INTO pending (app_id, number, message_id)
    SELECT app_id, number, message_id FROM deliveries WHERE state = 0
    ORDER BY app_id, number, message_id;
INSERT INTO sequences (name, last) SELECT 'pending', coalesce(max(id), 0) FROM messages;

DROP INDEX messages_pending;
DROP INDEX deliveries_pending;
