/** x */
import { Command } from "@commander-js/extra-typings";
export function skillCommand() {
  return new Command("skill");
}
