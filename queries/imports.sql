-- name: InsertImport :exec
INSERT INTO imports (
  id, file, state, reason, invite, role, line_count, people, admins, listed, problems, unused, parts, part, added, kept,
  actor_id, actor, address, user_agent, request_id, lease, leased_until, created_at, updated_at, removals, left_out
) VALUES (?, ?, ?, '', 0, '', 0, 0, 0, 0, 0, '', 0, 0, 0, 0, '', '', '', '', '', '', 0, ?, ?, 0, 0);

-- name: GetImport :one
SELECT * FROM imports WHERE id = ? AND state <> 'dropped';

-- name: ListImports :many
SELECT * FROM imports WHERE state <> 'dropped' ORDER BY id DESC LIMIT ?;

-- name: SetImportSummary :execrows
-- Stores the result of the upload. From now on the import may run.
UPDATE imports SET
  state = 'ready', line_count = ?, people = ?, admins = ?, listed = ?, problems = ?, unused = ?, parts = ?, updated_at = ?
WHERE id = ? AND state = 'uploading';

-- name: StartImport :execrows
UPDATE imports SET
  state = 'running', reason = '', invite = ?, role = ?, actor_id = ?, actor = ?, address = ?, user_agent = ?, request_id = ?,
  lease = '', leased_until = 0, updated_at = ?, removals = ?
WHERE id = ? AND state IN ('ready', 'stopped');

-- name: StopImport :execrows
UPDATE imports SET state = 'stopped', reason = ?, lease = '', leased_until = 0, updated_at = ? WHERE id = ? AND state = 'running';

-- name: FreeImport :one
-- One that is running and that no instance works on.
SELECT * FROM imports WHERE state = 'running' AND leased_until <= sqlc.arg(now) ORDER BY id LIMIT 1;

-- name: FreeImportOf :one
SELECT * FROM imports WHERE id = sqlc.arg(id) AND state = 'running' AND leased_until <= sqlc.arg(now);

-- name: LeaseImport :execrows
-- Of two instances that read the same free import, one changes its lease.
UPDATE imports SET lease = sqlc.arg(lease), leased_until = sqlc.arg(lease_end)
WHERE id = sqlc.arg(id) AND state = 'running' AND lease = sqlc.arg(was) AND leased_until <= sqlc.arg(now);

-- name: ExtendImportLease :execrows
UPDATE imports SET leased_until = sqlc.arg(lease_end) WHERE id = sqlc.arg(id) AND state = 'running' AND lease = sqlc.arg(lease);

-- name: AdvanceImport :execrows
-- Changes no row if another instance has processed the part, or the import was stopped.
UPDATE imports SET
  state = sqlc.arg(state), part = sqlc.arg(part), added = sqlc.arg(added), kept = sqlc.arg(kept), left_out = sqlc.arg(left_out),
  leased_until = sqlc.arg(lease_end), updated_at = sqlc.arg(updated_at)
WHERE id = sqlc.arg(id) AND state = 'running' AND lease = sqlc.arg(lease) AND part = sqlc.arg(was);

-- name: OldImports :many
SELECT id FROM imports WHERE state = 'dropped' OR updated_at < ? AND state <> 'running' ORDER BY id LIMIT ?;

-- name: MarkImportDropped :execrows
-- From now on it counts as deleted. Its rows are deleted in batches.
UPDATE imports SET state = 'dropped' WHERE id = ? AND state <> 'running';

-- name: DeleteImport :execrows
DELETE FROM imports WHERE id = ?;

-- name: InsertImportPart :exec
INSERT INTO import_parts (id, content) VALUES (?, ?);

-- name: GetImportPart :one
SELECT content FROM import_parts WHERE id = ?;

-- name: ImportParts :many
SELECT id FROM import_parts WHERE id >= sqlc.arg(first) AND id < sqlc.arg(behind) ORDER BY id LIMIT ?;

-- name: DeleteImportPart :execrows
DELETE FROM import_parts WHERE id = ?;
