-- What waits to be put into a file, beside all that lies in files and waits to be pushed.
CREATE INDEX document_to_send ON document (partner_id, id) WHERE delivery = 'queued' AND transmission_id IS NULL;
-- What is due of a step, in order, whatever else is due in its lanes.
CREATE INDEX work_step ON work (step, due_at, id, lane);
