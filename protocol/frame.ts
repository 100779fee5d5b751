/**
 * Frames (§1): `cmd len payload parity` one way, `status len payload parity` back; the parity is the XOR of every byte
 * before it.
 */
import { type CommandName, commandNames, commandTable, type RequestOf, type ResponseOf } from "./commands.ts";
import { isSakuraError, SakuraError } from "./errors.ts";
import { type Refusal, statuses, statusMeanings } from "./status.ts";

/** Bytes of a frame beside its payload. */
export const FRAME_OVERHEAD = 3;
export const PAYLOAD_MAX = 255;
export const FRAME_MAX = PAYLOAD_MAX + FRAME_OVERHEAD;

/** XOR of the bytes from `from` up to `to`. */
export function parityOf(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let parity = 0;
  for (let i = from; i < to; i++) parity ^= bytes[i] ?? 0;
  return parity;
}

/** Any head byte (command code or status) with any payload of 0..255 bytes, as a frame. */
export function encodeFrame(head: number, payload: Uint8Array): Uint8Array {
  if (payload.length > PAYLOAD_MAX)
    throw new SakuraError("INVALID_ARGUMENT", `a payload has at most ${PAYLOAD_MAX} bytes, not ${payload.length}`);
  const frame = new Uint8Array(payload.length + FRAME_OVERHEAD);
  frame[0] = head;
  frame[1] = payload.length;
  frame.set(payload, 2);
  frame[frame.length - 1] = parityOf(frame, 0, frame.length - 1);
  return frame;
}

/**
 * The frame that asks for a command.
 * @throws SakuraError INVALID_ARGUMENT when a field is outside its range
 */
export function encodeRequest<N extends CommandName>(name: N, request: RequestOf<N>): Uint8Array {
  const command = commandTable[name];
  const size = command.request.size(request);
  const frame = new Uint8Array(size + FRAME_OVERHEAD);
  frame[0] = command.code;
  frame[1] = size;
  command.request.write(request, frame, 2);
  frame[size + 2] = parityOf(frame, 0, size + 2);
  return frame;
}

/** The frame that answers a command with success. */
export function encodeResponse<N extends CommandName>(name: N, response: ResponseOf<N>): Uint8Array {
  const codec = commandTable[name].response;
  const size = codec.size(response);
  const frame = new Uint8Array(size + FRAME_OVERHEAD);
  frame[0] = statuses.values.NONE;
  frame[1] = size;
  codec.write(response, frame, 2);
  frame[size + 2] = parityOf(frame, 0, size + 2);
  return frame;
}

/** The frame that refuses: the status, no payload, its parity (§7). */
export function encodeRefusal(status: Refusal): Uint8Array {
  const byte = statuses.values[status];
  return Uint8Array.of(byte, 0, byte);
}

/** A request as it arrived: one of the commands named, each with its own request. */
export type AnyRequest<N extends CommandName = CommandName> = {
  [P in N]: { readonly name: P; readonly request: RequestOf<P> };
}[N];
export type DecodedRequest = ({ readonly ok: true } & AnyRequest) | { readonly ok: false; readonly status: Refusal };

/** Whether the bytes are one whole frame with a good parity. */
export function frameProblem(frame: Uint8Array): "size" | "parity" | undefined {
  if (frame.length < FRAME_OVERHEAD || frame.length !== (frame[1] ?? 0) + FRAME_OVERHEAD) return "size";
  return parityOf(frame) === 0 ? undefined : "parity";
}

/**
 * Reads a request as the module does, with the module's refusals in the module's order (§7): size against `len`,
 * parity, command code, payload. Lock and state come after and are the module's own.
 */
export function decodeRequest(frame: Uint8Array): DecodedRequest {
  const problem = frameProblem(frame);
  if (problem === "size") return { ok: false, status: "INVALID_SYNTAX" };
  if (problem === "parity") return { ok: false, status: "PARITY" };
  return readers[frame[0] ?? 0]?.(frame) ?? { ok: false, status: "MISSING" };
}

/** What reads the payload of each command, by its code: a request costs one look into the table. */
const readers: (((frame: Uint8Array) => DecodedRequest) | undefined)[] = [];
for (const name of commandNames) readers[commandTable[name].code] = requestReader(name);

function requestReader<N extends CommandName>(name: N): (frame: Uint8Array) => DecodedRequest {
  const { request: codec } = commandTable[name];
  return (frame) => {
    const size = frame.length - FRAME_OVERHEAD;
    if (size < codec.min || size > codec.max) return { ok: false, status: "INVALID_SYNTAX" };
    try {
      // The pair belongs together by construction; TypeScript cannot follow a union through a generic name.
      return { ok: true, name, request: codec.read(frame, 2, 2 + size) } as DecodedRequest;
    } catch (error) {
      if (isSakuraError(error, "INVALID_PAYLOAD")) return { ok: false, status: "INVALID_SYNTAX" };
      throw error;
    }
  };
}

/**
 * Reads the answer to a command.
 * @throws SakuraError DAMAGED_ANSWER for a wrong size or parity; MODULE_REFUSED (context.status) for a status other than
 *   NONE; INVALID_PAYLOAD when the payload is not what this command answers
 */
export function decodeResponse<N extends CommandName>(name: N, frame: Uint8Array): ResponseOf<N> {
  const problem = frameProblem(frame);
  if (problem !== undefined)
    throw new SakuraError("DAMAGED_ANSWER", `the answer to ${name} arrived with a wrong ${problem}`, {
      context: { command: name, problem },
    });
  if (frame[0] !== statuses.values.NONE) throw refusalError(name, frame[0] ?? 0);
  const codec = commandTable[name].response;
  const size = frame.length - FRAME_OVERHEAD;
  if (size < codec.min || size > codec.max)
    throw new SakuraError("INVALID_PAYLOAD", `${name} answers ${codec.shape || "nothing"}, but ${size} bytes came`, {
      context: { command: name, size },
    });
  return codec.read(frame, 2, 2 + size);
}

function refusalError(name: CommandName, byte: number): SakuraError {
  const status = statuses.nameOf(byte);
  const meaning = isStatus(status) ? statusMeanings[status] : "no public document names this status";
  return new SakuraError("MODULE_REFUSED", `the module refused ${name} with ${status}: ${meaning}`, {
    context: { command: name, status },
  });
}

function isStatus(name: string): name is keyof typeof statusMeanings {
  return Object.hasOwn(statusMeanings, name);
}
