import { onTestFinished } from 'vitest';
import { launchPostgres, type Postgres, type PostgresOptions } from './launch-postgres.ts';

export { postgresOwner, postgresPath, type Postgres } from './launch-postgres.ts';

/** A real PostgreSQL on a free port. It ends with the test. */
export async function startPostgres(options?: PostgresOptions): Promise<Postgres> {
  const postgres = await launchPostgres(options);
  onTestFinished(() => postgres.remove());
  return postgres;
}
