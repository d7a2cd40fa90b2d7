/** Walks one path of the model: performs each event, checks each state, and makes the host whole in the end. */
import { Life, type System } from './life.ts';
import type { Being, LifeEvent, LifePath } from './model.ts';

/** @param system thrown away afterwards */
export async function walk(system: System, { steps }: LifePath): Promise<void> {
  const life = new Life(system);
  try {
    for (const { event, state } of steps) {
      const being = state.value as Being;
      if (event.type !== 'xstate.init') await life.perform(event.type as LifeEvent, being);
      await life.check(being);
    }
    await life.converge();
  } finally {
    await system.dispose();
  }
}
