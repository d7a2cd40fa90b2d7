/** `confirm`: asks a person, on a terminal only. What was answered leads to a new plan or to the work. */
import { InstallerError } from '../errors.ts';
import type { Answers, ConfirmOutput, Plan, Question } from '../machines/types.ts';
import type { Scope } from './scope.ts';

const declined = (): ConfirmOutput => ({
  kind: 'declined',
  error: new InstallerError('E_DECLINED').toJSON(),
});

/** Questions whose answer changes what is planned come first; the others are about the plan as it will be. */
const shapesThePlan = (question: Question): boolean => question.id === 'settings' || question.id === 'edits';

async function answer(scope: Scope, question: Question, plan: Plan): Promise<Partial<Answers> | null> {
  const { asker } = scope;
  if (asker === null) return null;
  switch (question.id) {
    case 'settings': {
      const settings = await asker.settings(question.subjects, plan.settings);
      return settings === null ? null : { settings };
    }
    case 'edits': {
      const edits = await asker.edits(question);
      return edits === null ? null : { edits };
    }
    case 'rotation':
    case 'packages':
      return (await asker.confirm(question, plan)) ? {} : null;
  }
}

/** @returns `proceed`, `replan` with everything answered so far, or `declined` (E_DECLINED) */
export async function confirm(scope: Scope, plan: Plan, answers: Answers): Promise<ConfirmOutput> {
  const shaping = plan.questions.filter(shapesThePlan);
  const questions = shaping.length > 0 ? shaping : plan.questions;
  let gathered = answers;
  for (const question of questions) {
    const given = await answer(scope, question, plan);
    if (given === null) return declined();
    gathered = {
      answered: [...gathered.answered, question.id],
      settings: { ...gathered.settings, ...given.settings },
      edits: given.edits ?? gathered.edits,
    };
  }
  return shaping.length > 0 ? { kind: 'replan', answers: gathered } : { kind: 'proceed' };
}
