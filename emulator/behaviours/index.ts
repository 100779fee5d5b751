import type { Behaviours } from "../behaviour.ts";
import { fileBehaviours } from "./file.ts";
import { operationBehaviours } from "./operation.ts";
import { rxBehaviours } from "./rx.ts";
import { statusBehaviours } from "./status.ts";
import { txBehaviours } from "./tx.ts";

/** How the module answers each command of the table unless a test lays something over it. */
export const behaviours: Behaviours = {
  ...statusBehaviours,
  ...txBehaviours,
  ...rxBehaviours,
  ...fileBehaviours,
  ...operationBehaviours,
};
