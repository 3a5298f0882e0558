-- Time-ordered ids (RFC 9562, version 7). PostgreSQL 18 has them built in; before, 48 bits of milliseconds are laid
-- over a random version 4 id, and two more bits (set_bit counts from the low end of each byte) turn version 4 into 7.
DO $$
BEGIN
  IF to_regprocedure('pg_catalog.uuidv7()') IS NOT NULL THEN
    CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT pg_catalog.uuidv7()';
  ELSE
    CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $body$
      SELECT encode(
        set_bit(set_bit(
          overlay(uuid_send(gen_random_uuid())
            PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
          52, 1), 53, 1), 'hex')::uuid
    $body$;
  END IF;
END $$;

-- CreateEnum
CREATE TYPE "account_type" AS ENUM ('CHECKING', 'SAVINGS', 'CREDIT', 'LOAN', 'INVESTMENT');

-- CreateEnum
CREATE TYPE "account_status" AS ENUM ('PENDING', 'ACTIVE', 'FROZEN', 'CLOSED');

-- CreateEnum
CREATE TYPE "transaction_direction" AS ENUM ('CREDIT', 'DEBIT');

-- CreateTable
CREATE TABLE "tenants" (
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "bank_accounts" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "bank_name" TEXT NOT NULL,
    "account_number" TEXT NOT NULL,
    "account_type" "account_type" NOT NULL,
    "status" "account_status" NOT NULL DEFAULT 'ACTIVE',
    "currency" TEXT NOT NULL,
    "balance" DECIMAL(19,4) NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "bank_accounts_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "transactions" (
    "tenant_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuid_v7(),
    "account_id" UUID NOT NULL,
    "external_id" TEXT,
    "booked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "direction" "transaction_direction" NOT NULL,
    "amount" DECIMAL(19,4) NOT NULL,
    "currency" TEXT NOT NULL,
    "balance_after" DECIMAL(19,4),
    "category" TEXT,
    "counterparty_bank" TEXT,
    "description" TEXT,

    CONSTRAINT "transactions_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "tenant_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "transaction_ids" UUID[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("tenant_id","key")
);

-- CreateTable
CREATE TABLE "daily_totals" (
    "tenant_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "currency" TEXT NOT NULL,
    "category" TEXT NOT NULL,
    "slot" INTEGER NOT NULL,
    "transaction_count" BIGINT NOT NULL,
    "inflow" DECIMAL(30,4) NOT NULL,
    "outflow" DECIMAL(30,4) NOT NULL,

    CONSTRAINT "daily_totals_pkey" PRIMARY KEY ("tenant_id","day","currency","category","slot")
);

-- CreateTable
CREATE TABLE "account_totals" (
    "tenant_id" UUID NOT NULL,
    "account_type" "account_type" NOT NULL,
    "status" "account_status" NOT NULL,
    "bank_name" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "slot" INTEGER NOT NULL,
    "account_count" BIGINT NOT NULL,
    "balance" DECIMAL(30,4) NOT NULL,

    CONSTRAINT "account_totals_pkey" PRIMARY KEY ("tenant_id","account_type","status","bank_name","currency","slot")
);

-- CreateIndex
CREATE UNIQUE INDEX "tenants_slug_key" ON "tenants"("slug");

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_created_idx" ON "bank_accounts"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_updated_idx" ON "bank_accounts"("tenant_id", "updated_at", "id");

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_balance_idx" ON "bank_accounts"("tenant_id", "balance", "id");

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_number_idx" ON "bank_accounts"("tenant_id", "account_number", "id");

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_bank_idx" ON "bank_accounts"("tenant_id", "bank_name", "id");

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_status_created_idx" ON "bank_accounts"("tenant_id", "status", "created_at", "id");

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_type_created_idx" ON "bank_accounts"("tenant_id", "account_type", "created_at", "id");

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_active_created_idx" ON "bank_accounts"("tenant_id", "created_at", "id") WHERE (status = 'ACTIVE'::account_status);

-- CreateIndex
CREATE INDEX "bank_accounts_tenant_type_active_created_idx" ON "bank_accounts"("tenant_id", "account_type", "created_at", "id") WHERE (status = 'ACTIVE'::account_status);

-- CreateIndex
CREATE INDEX "bank_accounts_number_idx" ON "bank_accounts"("account_number");

-- CreateIndex
CREATE INDEX "bank_accounts_bank_idx" ON "bank_accounts"("bank_name");

-- CreateIndex
CREATE UNIQUE INDEX "bank_accounts_tenant_bank_number_key" ON "bank_accounts"("tenant_id", "bank_name", "account_number");

-- CreateIndex
CREATE INDEX "transactions_tenant_account_booked_idx" ON "transactions"("tenant_id", "account_id", "booked_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "transactions_tenant_booked_idx" ON "transactions"("tenant_id", "booked_at", "id");

-- CreateIndex
CREATE INDEX "transactions_tenant_category_booked_idx" ON "transactions"("tenant_id", "category", "booked_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "transactions_tenant_external_key" ON "transactions"("tenant_id", "external_id") WHERE (external_id IS NOT NULL);

-- AddForeignKey
ALTER TABLE "bank_accounts" ADD CONSTRAINT "bank_accounts_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "transactions" ADD CONSTRAINT "transactions_tenant_id_account_id_fkey" FOREIGN KEY ("tenant_id", "account_id") REFERENCES "bank_accounts"("tenant_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "daily_totals" ADD CONSTRAINT "daily_totals_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "account_totals" ADD CONSTRAINT "account_totals_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- What no column type says.
ALTER TABLE tenants
  ADD CONSTRAINT tenants_slug_check CHECK (slug ~ '^[a-z0-9-]+$'),
  -- An unknown zone makes the expression itself fail, with PostgreSQL's own words.
  ADD CONSTRAINT tenants_time_zone_check CHECK ((timestamptz '2000-01-01 00:00:00+00' AT TIME ZONE time_zone) IS NOT NULL);
ALTER TABLE bank_accounts
  ADD CONSTRAINT bank_accounts_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
  ADD CONSTRAINT bank_accounts_version_check CHECK (version >= 1);
ALTER TABLE transactions
  ADD CONSTRAINT transactions_amount_check CHECK (amount > 0),
  ADD CONSTRAINT transactions_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
  -- The statistics write "without a category" as the empty text, so no category may be that.
  ADD CONSTRAINT transactions_category_check CHECK (category <> '');
