import { OPERATIONS } from '@skyrun/contracts';
import type { Call } from './call.ts';

/** One command a call: a project is created, then people join it one after the other, then the next project. */
export function* memberCommands(
  label: string,
  people: readonly { readonly id: string; readonly email: string }[],
): Generator<Call, never> {
  for (let number = 1; ; number += 1) {
    const project = `${label}-${number}`;
    const subject = `projects/${project}`;
    yield {
      commands: [{ subject, item: '' }],
      send: (client, signal) => client.call(OPERATIONS.createProject, { body: { name: project }, signal }),
    };
    for (const { id, email } of people) {
      yield {
        commands: [{ subject, item: id }],
        send: (client, signal) =>
          client.call(OPERATIONS.addMember, { params: { project }, body: { email, role: 'viewer' }, signal }),
      };
    }
  }
}
