-- An incarnation is one run of a node. ended_after: the newest message id when it had ended, or was
-- found to have; lease_until: until when it counts as running without saying so again.
ALTER TABLE incarnations ADD COLUMN ended_at BIGINT;
ALTER TABLE incarnations ADD COLUMN ended_after BIGINT;
ALTER TABLE incarnations ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE incarnations ADD COLUMN version TEXT NOT NULL DEFAULT '';
ALTER TABLE incarnations ADD COLUMN gateways TEXT NOT NULL DEFAULT '';
ALTER TABLE incarnations ADD COLUMN capacity INTEGER NOT NULL DEFAULT 0;

UPDATE incarnations SET
    ended_at = (SELECT next.started_at FROM incarnations next WHERE next.id = incarnations.id + 1),
    ended_after =
        (SELECT next.started_after FROM incarnations next WHERE next.id = incarnations.id + 1);
