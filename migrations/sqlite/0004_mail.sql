-- Mail that waits is a little of all that was ever sent.
DROP INDEX mail_next;
CREATE INDEX mail_waiting ON mail (id) WHERE sent_at IS NULL;
