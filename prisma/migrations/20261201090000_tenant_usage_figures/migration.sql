-- The service's login adds usage by tenant_usage_add: it may not take any away, and one figure that is no number would keep operators
-- from seeing all tenants. NaN is greater than Infinity here. What is there already and is none of these becomes 0.
LOCK TABLE tenant_usage IN ACCESS EXCLUSIVE MODE;

SELECT set_config('app.maintenance', 'on', true);
UPDATE tenant_usage SET requests = greatest(requests, 0), hits = greatest(hits, 0), points = greatest(points, 0),
  database_ms = CASE WHEN database_ms >= 0 AND database_ms < 'Infinity' THEN database_ms ELSE 0 END,
  rows = greatest(rows, 0), bytes_kept = greatest(bytes_kept, 0)
 WHERE least(requests, hits, points, rows, bytes_kept) < 0 OR NOT (database_ms >= 0 AND database_ms < 'Infinity');
SELECT set_config('app.maintenance', '', true);

ALTER TABLE tenant_usage ADD CONSTRAINT tenant_usage_figures_check CHECK (
  least(requests, hits, points, rows, bytes_kept) >= 0 AND database_ms >= 0 AND database_ms < 'Infinity'
);

SELECT settle_ownership();
