-- Sets of a message are found without a look at each 65,536 device numbers that the app has given.
-- PostgreSQL has had it since 5.1.
CREATE INDEX message_sets_of_message ON message_sets (message_id);

INSERT INTO meta (name, value) VALUES ('runs_beside_8.1', '7');
