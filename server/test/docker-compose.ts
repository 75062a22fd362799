import { existsSync } from 'node:fs';

/** `npm test` installs it where it can, and says so where it cannot. */
const known = ['/usr/bin/docker-compose', '/usr/local/bin/docker-compose'];
export const composePath: string | null =
  process.env.DOCKER_COMPOSE_PATH || (known.find((file) => existsSync(file)) ?? null);

if (composePath === null)
  console.warn(
    'no docker-compose is installed: the tests of docker-compose.yml by its own program are skipped',
  );
