/** Time as the simulated CPU has it: a module on it lives in simulated time. */
import type { Clock } from "../../protocol/bus.ts";
import type { Board } from "./board.ts";
import { CPU_HZ } from "./registers.ts";

const CYCLES_PER_MS = CPU_HZ / 1000;

/**
 * A clock that begins at `startMs` (Unix time) with the CPU's first cycle. What waits on it runs at its CPU cycle, and
 * the run pauses there, so that what it sets off has happened before the next instruction.
 */
export function cycleClock(board: Board, startMs: number): Clock {
  return {
    now: () => startMs + Math.floor(board.cpu.cycles / CYCLES_PER_MS),
    after(ms, run) {
      let waiting = true;
      board.cpu.addClockEvent(() => {
        if (!waiting) return;
        waiting = false;
        board.pause();
        run();
      }, ms * CYCLES_PER_MS);
      // The event stays and does nothing: avr8js must not be asked to forget one from within another.
      return () => {
        waiting = false;
      };
    },
  };
}
