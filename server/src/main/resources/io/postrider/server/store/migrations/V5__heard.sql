-- Whether the device was heard after the session's start, and so has been told what ended before.
ALTER TABLE sessions ADD COLUMN heard SMALLINT NOT NULL DEFAULT 0;
