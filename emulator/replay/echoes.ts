/**
 * Echoes that stand for recorded ones. Who gets in step sends other bytes each time, and looks for them in what comes,
 * a damaged echo included.
 */

export interface StandIn {
  /** The true echo of the recorded request, as a frame. */
  readonly recorded: Uint8Array;
  /** The true echo of the request in its place; as long. */
  readonly now: Uint8Array;
}

/** The recorded answer, where it is an echo with the bytes that are in their place now: flipped where those were. */
export function standingIn(answer: Uint8Array, standIns: readonly StandIn[]): Uint8Array {
  let nearest: StandIn | undefined;
  // What differs in half of its bytes is something else.
  let least = answer.length / 2;
  for (const standIn of standIns) {
    const differing = differences(answer, standIn.recorded);
    if (differing >= least) continue;
    least = differing;
    nearest = standIn;
  }
  if (!nearest) return answer;
  const { recorded, now } = nearest;
  return answer.map((byte, at) => byte ^ (recorded[at] ?? 0) ^ (now[at] ?? 0));
}

function differences(a: Uint8Array, b: Uint8Array): number {
  return a.length === b.length ? a.filter((byte, at) => byte !== b[at]).length : Number.POSITIVE_INFINITY;
}
