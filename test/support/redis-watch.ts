import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** A command and its arguments. */
type Command = readonly string[];

/** What a Redis carries out, as it tells it itself. */
export interface RedisWatch {
  /** Since the begin, in order. */
  readonly commands: readonly Command[];
  /** Resolves when there was such a command, before the call or after it. */
  until(isMeant: (command: Command) => boolean): Promise<void>;
  /** Resolves when `commands` has all that was carried out before the call. */
  untilNow(): Promise<void>;
  close(): void;
}

/**
 * Begins to watch (MONITOR). By a socket of its own: ioredis breaks its connection where the first
 * command is told together with the answer to MONITOR.
 */
export async function watchRedis(url: string): Promise<RedisWatch> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const lines = createInterface({ input: socket });
  const commands: Command[] = [];
  socket.write('MONITOR\r\n');
  const [first] = await once(lines, 'line');
  if (first !== '+OK') throw new Error(`Redis does not tell its commands: ${first}`);
  lines.on('line', (line) => commands.push(argumentsIn(line)));
  const until = async (isMeant: (command: Command) => boolean) => {
    while (!commands.some(isMeant)) await once(lines, 'line');
  };
  return {
    commands,
    until,
    async untilNow() {
      const mark = randomUUID();
      const marking = connect({ host: hostname, port: Number(port) });
      marking.write(`ECHO ${mark}\r\n`);
      await until((command) => command.includes(mark));
      marking.destroy();
    },
    close: () => socket.destroy(),
  };
}

/** Of a line such as `+1700000000.000001 [0 127.0.0.1:50000] "get" "key"`. */
function argumentsIn(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, argument = '']) => argument);
}
