/** Lock, firmware update, reset and power saving (§2, 0xA8–0xB1; §7). */
import { type Behaviours, type ModuleContext, refuse } from "../behaviour.ts";
import { choices } from "../choices.ts";
import type { ModuleState } from "../state.ts";

type OperationCommands =
  | "UNLOCK"
  | "UPDATE_FIRMWARE"
  | "GET_UPDATE_FIRMWARE_STATUS"
  | "SOFTWARE_RESET"
  | "SET_POWER_SAVE_MODE"
  | "GET_POWER_SAVE_MODE";

export const operationBehaviours: Pick<Behaviours, OperationCommands> = {
  UNLOCK({ state, clock }) {
    state.unlockedUntil = clock.now() + choices.unlockMs;
    return undefined;
  },
  UPDATE_FIRMWARE(module) {
    const { state } = module;
    if (!isUnlocked(module)) return refuse("LOCKED");
    if (state.update.inProgress) return refuse(choices.underWay);
    lock(module);
    startUpdate(module);
    return undefined;
  },
  GET_UPDATE_FIRMWARE_STATUS: ({ state }) => state.update,
  SOFTWARE_RESET(module) {
    if (!isUnlocked(module)) return refuse("LOCKED");
    restart(module);
    return undefined;
  },
  SET_POWER_SAVE_MODE(module, mode) {
    if (!knowsPowerSave(module.state)) return refuse("MISSING");
    if (mode !== "disabled" && mode !== "auto-sleep" && mode !== "rf-off") return refuse("INVALID_SYNTAX");
    module.changeConnection(() => {
      module.state.powerSave = mode;
    });
    return undefined;
  },
  GET_POWER_SAVE_MODE: ({ state }) => (knowsPowerSave(state) ? state.powerSave : refuse("MISSING")),
};

function isUnlocked({ state, clock }: ModuleContext): boolean {
  return clock.now() < state.unlockedUntil;
}

function lock({ state }: ModuleContext): void {
  state.unlockedUntil = Number.NEGATIVE_INFINITY;
}

/** Power saving came with firmware 1.4.0; an older one does not know the command (§2). */
export function knowsPowerSave({ firmware }: ModuleState): boolean {
  const [, major = "0", minor = "0"] = /^v?(\d+)\.(\d+)/.exec(firmware) ?? [];
  return Number(major) * 1000 + Number(minor) >= 1004;
}

function startUpdate(module: ModuleContext): void {
  const { state, clock } = module;
  const { boots, updatePlan } = state;
  state.update = { inProgress: true, result: "ok" };
  clock.after(updatePlan.durationMs, () => {
    if (state.boots !== boots) return;
    state.update = { inProgress: false, result: updatePlan.outcome };
    if (updatePlan.outcome !== "ok") return;
    state.firmware = updatePlan.version;
    restart(module);
  });
}

/** Empties both queues, goes offline, and comes online again after the boot time (§7). */
export function restart(module: ModuleContext): void {
  const { state, clock } = module;
  lock(module);
  const boots = ++state.boots;
  state.txQueue.length = 0;
  state.rxQueue.length = 0;
  state.txState = "done";
  state.immediateState = "done";
  state.download = { kind: "none" };
  state.update = { inProgress: false, result: state.update.result };
  module.changeConnection(() => {
    state.booting = true;
    state.powerSave = "disabled";
  });
  clock.after(state.bootTimeMs, () => {
    if (state.boots !== boots) return;
    module.changeConnection(() => {
      state.booting = false;
    });
  });
}
