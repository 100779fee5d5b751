/** Behaviours that a test lays over the module's own. */
import { describe, expect, it } from "vitest";
import { Refused, refuse } from "../../emulator/behaviour.ts";
import { desk } from "../support/desk.ts";

const UNIQUE_ID = "A1 00 A1";

describe("override", () => {
  it("answers in the command's place, and in no other's", () => {
    const { ask, module } = desk();
    module.override("TX_SEND", () => refuse("BUSY"));
    expect(ask("24 00 24")).toBe("07 00 07");
    expect(ask("23 00 23")).toBe("01 00 01");
  });

  it("gives an answer of its own", () => {
    const { ask, module } = desk();
    module.override("GET_SIGNAL_QUALITY", () => 1);
    expect(ask("02 00 02")).toBe("01 01 01 01");
  });

  it("stacks, newest first, and each may pass on to the one below", () => {
    const { ask, module } = desk({ signal: 5 });
    const calls: string[] = [];
    for (const name of ["first", "second", "third"]) {
      module.override("GET_SIGNAL_QUALITY", (_request, next) => {
        calls.push(name);
        return name === "second" ? 2 : next();
      });
    }
    expect(ask("02 00 02")).toBe("01 01 02 02");
    expect(calls).toEqual(["third", "second"]);
  });

  it("is taken off again, in any order, and any number of times", () => {
    const { ask, module } = desk({ signal: 5 });
    const removeOne = module.override("GET_SIGNAL_QUALITY", () => 1);
    const removeTwo = module.override("GET_SIGNAL_QUALITY", () => 2);
    const removeThree = module.override("GET_SIGNAL_QUALITY", () => 3);
    expect(ask("02 00 02")).toBe("01 01 03 03");
    removeTwo();
    expect(ask("02 00 02")).toBe("01 01 03 03");
    removeThree();
    removeThree();
    expect(ask("02 00 02")).toBe("01 01 01 01");
    module.override("GET_SIGNAL_QUALITY", () => 4);
    expect(ask("02 00 02")).toBe("01 01 04 04");
    removeOne();
    expect(ask("02 00 02")).toBe("01 01 04 04");
  });

  it("comes after the checks of size, parity and fields: it sees good requests alone", () => {
    const { ask, module } = desk();
    const seen: unknown[] = [];
    module.override("TX_ENQUEUE", (request, next) => {
      seen.push(request);
      return next();
    });
    ask("20 0A 80 69 19 00 00 00 00 00 00 00 DA");
    ask("20 0A 05 69 19 00 00 00 00 00 00 00 00");
    expect(seen).toEqual([]);
    ask("20 0A 05 69 19 00 00 00 00 00 00 00 5F");
    expect(seen).toEqual([{ channel: 5, type: "i", value: 25 }]);
    expect(module.state.txQueue.length).toBe(1);
  });

  it("may change the module around the command's own behaviour", () => {
    const { ask, module } = desk();
    const statuses: unknown[] = [];
    module.override("RX_PEEK", (_request, next, { state }) => {
      const answer = next();
      statuses.push(answer instanceof Refused && answer.status);
      state.signal = 1;
      return answer;
    });
    expect(ask("31 00 31")).toBe("05 00 05");
    expect(statuses).toEqual(["RUNTIME"]);
    expect(ask("02 00 02")).toBe("01 01 01 01");
  });

  it("is one module's own", () => {
    const changed = desk();
    const other = desk();
    changed.module.override("GET_UNIQUE_ID", () => "17ZZ999999");
    expect(changed.ask(UNIQUE_ID)).toBe("01 0A 31 37 5A 5A 39 39 39 39 39 39 0D");
    expect(other.ask(UNIQUE_ID)).toBe("01 0A 31 36 42 30 31 30 30 32 36 30 7B");
  });
});
