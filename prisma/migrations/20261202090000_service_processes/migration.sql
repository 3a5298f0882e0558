-- CreateTable
CREATE UNLOGGED TABLE "service_processes" (
    "id" UUID NOT NULL,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "version" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL,
    "state" JSONB NOT NULL,
    "figures" BYTEA,

    CONSTRAINT "service_processes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "service_minutes" (
    "minute" SMALLINT NOT NULL,
    "start" TIMESTAMPTZ(0) NOT NULL,
    "processes" INTEGER NOT NULL,
    "requests" BIGINT NOT NULL,
    "hits" BIGINT NOT NULL,
    "misses" BIGINT NOT NULL,
    "bypasses" BIGINT NOT NULL,
    "errors" BIGINT NOT NULL,
    "refusals" BIGINT NOT NULL,
    "statements" BIGINT NOT NULL,
    "database_ms" DOUBLE PRECISION NOT NULL,
    "untrusted" BOOLEAN NOT NULL,
    "latency" INTEGER[],
    "latency_ms" DOUBLE PRECISION NOT NULL,
    "latency_max_ms" DOUBLE PRECISION NOT NULL,
    "hit_latency" INTEGER[],
    "hit_latency_ms" DOUBLE PRECISION NOT NULL,
    "hit_latency_max_ms" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "service_minutes_pkey" PRIMARY KEY ("minute")
);

-- The processes of the service write what they count, and add up what all have written. A crash of the server empties the first
-- table, and each process fills its row again. `figures` is gzip already, and lies apart from the row, whose `seen_at` changes
-- every few seconds. Texts are bounded here, since nobody removes a row by its size.
ALTER TABLE service_processes ALTER COLUMN figures SET STORAGE EXTERNAL;
ALTER TABLE service_processes SET (fillfactor = 50);
ALTER TABLE service_processes ADD CONSTRAINT service_processes_size_check CHECK (
  octet_length(host) <= 255 AND octet_length(version) <= 100 AND octet_length(state::text) <= 4096 AND octet_length(figures) <= 2097152
);

-- A ring: the row of a minute of the day is that of the last day that had it. The latencies are the buckets of
-- src/latency-histogram.ts.
ALTER TABLE service_minutes SET (fillfactor = 70);
ALTER TABLE service_minutes ADD CONSTRAINT service_minutes_minute_check CHECK (minute BETWEEN 0 AND 1439);
ALTER TABLE service_minutes ADD CONSTRAINT service_minutes_size_check CHECK (cardinality(latency) <= 1000 AND cardinality(hit_latency) <= 1000);

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_app') THEN RETURN; END IF;
  REVOKE ALL ON service_processes, service_minutes FROM tenantry_app;
  GRANT SELECT, INSERT, UPDATE, DELETE ON service_processes TO tenantry_app;
  GRANT SELECT, INSERT, UPDATE ON service_minutes TO tenantry_app;
END $$;

SELECT settle_ownership();
