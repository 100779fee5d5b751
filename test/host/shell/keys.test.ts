/** Whom a shell's keys reach. */
import { PassThrough } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { Keyboard } from "../../../host/cli/module/shell-keys.ts";

class Keys extends PassThrough {
  readonly isTTY = true;
  setRawMode = vi.fn();
}

describe("Ctrl+C during a verb", () => {
  it.each([0, 10, 70_000])("is the shell's, also after %d keys that wait", (waiting) => {
    const keys = new Keys();
    const onInterrupt = vi.fn();
    const keyboard = new Keyboard(keys, onInterrupt);
    keyboard.forVerb();
    keys.emit("data", Buffer.alloc(waiting, "x"));
    keys.emit("data", Buffer.from("y\u0003"));
    expect(onInterrupt).toHaveBeenCalledTimes(1);
    keyboard.close();
  });

  it("leaves what is typed after it to the next line, and nothing from before it", async () => {
    const keys = new Keys();
    const keyboard = new Keyboard(keys, () => undefined);
    keyboard.release(keyboard.forVerb());
    keys.emit("data", Buffer.from("queue\r"));
    keys.emit("data", Buffer.from("echo\u0003status\rflush\r"));
    const line = keyboard.forLine();
    await new Promise((resolve) => line.once("readable", resolve));
    expect(String(line.read())).toBe("status\r");
    keyboard.close();
  });
});
