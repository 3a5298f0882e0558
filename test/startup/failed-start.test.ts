import { trace } from '@opentelemetry/api';
import pino from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { serve } from '../../src/startup/serve.ts';
import { MAIN_SECRET } from '../support/main-process.ts';

afterEach(() => vi.unstubAllEnvs());

test('a start that finds no database stops the traces that it has begun', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:9');
  const nowhere = 'postgresql://nobody@127.0.0.1:1/nowhere';
  const config = readConfig({ AUTH_SECRET: MAIN_SECRET, DATABASE_URL: nowhere, TELEMETRY: 'otlp' });
  const isRecording = () => trace.getTracer('test').startSpan('any').isRecording();
  const logger = pino({ level: 'silent' });
  const starting = serve(config, logger, () => {});
  await expect(starting).rejects.toThrow('127.0.0.1:1');
  expect(isRecording()).toBe(false);
});
