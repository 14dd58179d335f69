-- name: InsertJob :exec
INSERT INTO outbox (
  id, kind, subject, user_id, stytch_id, name, attempts, due_at, leased_until, parked_at, last_error, created_at, app_id
) VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, 0, '', ?, ?);

-- name: NextJob :one
-- The oldest job that is due, not leased, and not after an earlier one with the same subject, except logouts.
SELECT o.* FROM outbox o
WHERE o.kind <> 'backchannel_logout' AND o.parked_at = 0 AND o.due_at <= sqlc.arg(now) AND o.leased_until <= sqlc.arg(now)
  AND NOT EXISTS (
    SELECT 1 FROM outbox e WHERE e.subject = o.subject AND e.id < o.id AND e.parked_at = 0
  )
ORDER BY o.due_at, o.id LIMIT 1;

-- name: NextJobOf :one
-- The subject's first job if it is not leased, even if it is not due, because it was requested now.
SELECT o.* FROM outbox o
WHERE o.subject = sqlc.arg(subject) AND o.parked_at = 0 AND o.leased_until <= sqlc.arg(now)
  AND NOT EXISTS (
    SELECT 1 FROM outbox e WHERE e.subject = o.subject AND e.id < o.id AND e.parked_at = 0
  )
ORDER BY o.id LIMIT 1;

-- name: NextLogout :one
-- The oldest message to an app about the end of a session that is due and not leased, except to busy apps.
SELECT * FROM outbox
WHERE kind = 'backchannel_logout' AND parked_at = 0 AND due_at <= sqlc.arg(now) AND leased_until <= sqlc.arg(now)
  AND app_id NOT IN (sqlc.slice(busy_apps))
ORDER BY due_at, id LIMIT 1;

-- name: LeaseJob :execrows
-- Every lease increments attempts, so a job that another worker has leased since it was read is not leased.
UPDATE outbox SET leased_until = sqlc.arg(lease_end), attempts = attempts + 1
WHERE id = sqlc.arg(id) AND attempts = sqlc.arg(was) AND parked_at = 0;

-- name: RetryJob :execrows
UPDATE outbox SET due_at = ?, leased_until = 0, last_error = ? WHERE id = ?;

-- name: ParkJob :execrows
UPDATE outbox SET parked_at = ?, leased_until = 0, last_error = ? WHERE id = ?;

-- name: DeleteJob :execrows
DELETE FROM outbox WHERE id = ?;

-- name: DeleteInviteJobs :execrows
DELETE FROM outbox WHERE subject = ? AND kind = 'invite';

-- name: ListJobsOf :many
SELECT * FROM outbox WHERE subject = ? ORDER BY id;

-- name: ListInviteJobs :many
SELECT * FROM outbox WHERE subject IN (sqlc.slice(subjects)) AND kind = 'invite' ORDER BY id;

-- name: ListRefusedInvites :many
-- The users whose invitation was refused by the email or login service.
SELECT DISTINCT user_id FROM outbox WHERE parked_at > 0 AND kind = 'invite' LIMIT ?;

-- name: GetJob :one
SELECT * FROM outbox WHERE id = ?;

-- name: ListJobs :many
-- Refused jobs first, then those that failed most often.
SELECT * FROM outbox ORDER BY parked_at DESC, due_at DESC, id DESC LIMIT ?;

-- name: ParkedJob :one
SELECT id FROM outbox WHERE parked_at > 0 LIMIT 1;

-- name: LaterJob :one
-- A job that has failed: a new one is due at 0.
SELECT id FROM outbox WHERE parked_at = 0 AND due_at > 0 LIMIT 1;

-- name: ReleaseJob :execrows
UPDATE outbox SET due_at = 0, parked_at = 0 WHERE id = ?;

-- name: CountWaitingJobs :one
-- Counts up to a limit.
SELECT COUNT(*) FROM (SELECT id FROM outbox WHERE parked_at = 0 LIMIT ?) AS counted;

-- name: CountWaitingCalls :one
-- Calls to Stytch, without notices and logouts, up to a limit.
SELECT COUNT(*) FROM (SELECT id FROM outbox WHERE parked_at = 0 AND kind NOT IN ('notify', 'backchannel_logout') LIMIT ?) AS counted;

-- name: ParkedJobsOf :many
SELECT id, subject FROM outbox WHERE subject IN (sqlc.slice(subjects)) AND parked_at > 0;

-- name: CountParkedJobs :one
SELECT COUNT(*) FROM (SELECT id FROM outbox WHERE parked_at > 0 LIMIT ?) AS counted;

-- name: OldestJob :one
SELECT created_at FROM outbox WHERE parked_at = 0 ORDER BY id LIMIT 1;
