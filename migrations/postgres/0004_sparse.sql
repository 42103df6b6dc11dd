-- Of what most rows lack only those that have it: less is written, and nobody looks for all that lack it by an index.
-- Where the table is divided (docs/partition.sql) they bear other names.
DO $$
DECLARE
    old regclass;
BEGIN
    FOR old IN SELECT indexrelid FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = 'document'::regclass AND indnatts = 1 AND indpred IS NULL
        AND attname IN ('interchange_id', 'transmission_id', 'answer_due_at')
    LOOP
        EXECUTE 'DROP INDEX ' || old;
    END LOOP;
END $$;
CREATE INDEX document_interchange ON document (interchange_id) WHERE interchange_id IS NOT NULL;
CREATE INDEX document_transmission ON document (transmission_id) WHERE transmission_id IS NOT NULL;
CREATE INDEX document_answer_due ON document (answer_due_at) WHERE answer_due_at IS NOT NULL;
-- Documents of a file in which no interchange could be read.
CREATE INDEX document_of_file ON document (file_id) WHERE file_id IS NOT NULL AND interchange_id IS NULL;
-- Mail that waits is a little of all that was ever sent.
DROP INDEX mail_next;
CREATE INDEX mail_waiting ON mail (id) WHERE sent_at IS NULL;
