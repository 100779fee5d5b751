/** A file over the worst line: it arrives whole, through damage, BUSY spells, delays and pulled cables. */
import { describe, expect, it } from "vitest";
import { mulberry32, parseFaults } from "../../emulator/faults.ts";
import { sameBytes } from "../support/duplex.ts";
import { RepluggedClient } from "../support/replugged-client.ts";

function seededBytes(length: number, seed: number): Uint8Array {
  const random = mulberry32(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

describe("a file of 100 KB", () => {
  it("arrives whole over a line that damages most of its parts, and is pulled three times", async () => {
    const data = seededBytes(100 * 1024, 7);
    const client = new RepluggedClient();
    client.files[1] = { data, timestamp: 1_490_960_000_500 };
    await client.open();
    client.emulated.setFaults(parseFaults("flip=0.005,drop=0.002,busy=0.1,delay=50,seed=11"));
    const pulls = [20_000, 60_000, 90_000];
    const onProgress = ({ received }: { received: number }): void => {
      if (received >= (pulls[0] ?? Number.POSITIVE_INFINITY)) {
        pulls.shift();
        client.unplug();
      }
    };
    const work = async (): Promise<Uint8Array> => (await client.download(1, { onProgress })).bytes();
    const arrived = await client.inTime(work());
    expect(sameBytes(arrived, data)).toBe(true);
    expect(pulls).toEqual([]);
  }, 60_000);
});
