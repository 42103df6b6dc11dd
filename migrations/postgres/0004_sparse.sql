-- Of what most rows lack only those that have it: less is written, and nobody looks for all that lack it by an index.
DROP INDEX document_interchange;
CREATE INDEX document_interchange ON document (interchange_id) WHERE interchange_id IS NOT NULL;
DROP INDEX document_transmission;
CREATE INDEX document_transmission ON document (transmission_id) WHERE transmission_id IS NOT NULL;
DROP INDEX document_answer_due;
CREATE INDEX document_answer_due ON document (answer_due_at) WHERE answer_due_at IS NOT NULL;
-- Documents of a file in which no interchange could be read.
CREATE INDEX document_of_file ON document (file_id) WHERE file_id IS NOT NULL AND interchange_id IS NULL;
-- Mail that waits is a little of all that was ever sent.
DROP INDEX mail_next;
CREATE INDEX mail_waiting ON mail (id) WHERE sent_at IS NULL;
