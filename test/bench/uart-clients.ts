/** The two that drive a module: SakuraModule, and a bare loop that writes a line and waits for its OK. */
import { performance } from "node:perf_hooks";
import { SakuraModule } from "sakuraio-kit/host";
import { type CommandName, encodeCommandLine, encodeRequest, type RequestOf } from "sakuraio-kit/protocol";
import { SerialPort } from "serialport";

/** Commands and bytes, both ways together, in so many seconds. */
export interface Traffic {
  readonly commands: number;
  readonly bytes: number;
  readonly seconds: number;
}

const VALUES_BETWEEN_CLEARS = 100;
const VALUE = { channel: 1, type: "i", value: 0x12345678 } as const;
const WARM_UP_MS = 200;

/** `*CMD:`, the digits of a frame with this payload, CR LF, `OK`, CR LF. */
const answerBytes = (payload: number): number => 5 + 2 * (3 + payload) + 6;

/** What both send, and how many bytes that is with the answer. */
const enqueue = commandOf("TX_ENQUEUE", VALUE, 0);
const uniqueId = commandOf("GET_UNIQUE_ID", undefined, 10);
const clear = commandOf("TX_CLEAR", undefined, 0);

interface PreparedCommand {
  readonly line: Uint8Array;
  readonly bytes: number;
}

function commandOf<N extends CommandName>(name: N, request: RequestOf<N>, answer: number): PreparedCommand {
  const line = encodeCommandLine(encodeRequest(name, request));
  return { line, bytes: line.length + answerBytes(answer) };
}

/** A value, an id, a value, an id, … and the queue emptied before it is full. */
function commandAt(n: number): PreparedCommand {
  if (n % (2 * VALUES_BETWEEN_CLEARS) === 0) return clear;
  return n % 2 === 0 ? enqueue : uniqueId;
}

export type UartClient = (path: string, ms: number) => Promise<Traffic>;

/** SakuraModule, which waits for each answer's `OK`; with `early` only for the answer. */
export function moduleClient(options: { readonly early: boolean }): UartClient {
  return async (path, ms) => {
    const module = await SakuraModule.open(`uart:${path}`, options);
    try {
      await driveModule(module, WARM_UP_MS);
      return await driveModule(module, ms);
    } finally {
      await module.close();
    }
  };
}

async function driveModule(module: SakuraModule, ms: number): Promise<Traffic> {
  const start = performance.now();
  let commands = 0;
  let bytes = 0;
  let elapsed = 0;
  do {
    const command = commandAt(commands);
    if (command === enqueue) await module.txEnqueue(VALUE);
    else if (command === uniqueId) await module.getUniqueId();
    else await module.txClear();
    commands++;
    bytes += command.bytes;
    elapsed = performance.now() - start;
  } while (elapsed < ms);
  return { commands, bytes, seconds: elapsed / 1000 };
}

/** The serial library alone: the lines are ready-made, and of what comes only the last four bytes are looked at. */
export async function bareClient(path: string, ms: number): Promise<Traffic> {
  const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  try {
    await driveBare(port, WARM_UP_MS);
    return await driveBare(port, ms);
  } finally {
    await new Promise<void>((resolve) => port.close(() => resolve()));
  }
}

const OK = 0x4f4b0d0a;

function driveBare(port: SerialPort, ms: number): Promise<Traffic> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let commands = 0;
    let bytes = 0;
    let last = 0;
    port.on("error", reject);
    const onData = (chunk: Uint8Array): void => {
      for (const byte of chunk) last = (last << 8) | byte;
      if (last !== OK) return;
      last = 0;
      bytes += commandAt(commands).bytes;
      commands++;
      const elapsed = performance.now() - start;
      if (elapsed < ms) {
        port.write(commandAt(commands).line);
        return;
      }
      port.removeListener("data", onData);
      port.removeListener("error", reject);
      resolve({ commands, bytes, seconds: elapsed / 1000 });
    };
    port.on("data", onData);
    port.write(commandAt(0).line);
  });
}
