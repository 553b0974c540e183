import type { Command } from '../command.ts';
import { billing } from './billing.ts';
import { cost } from './cost.ts';
import { deadLetters } from './dead-letters.ts';
import { deleteService } from './delete.ts';
import { deploy } from './deploy.ts';
import { domains } from './domains.ts';
import { events } from './events/events.ts';
import { invoices } from './invoices.ts';
import { keys } from './keys.ts';
import { kubeconfigCommand } from './kubeconfig.ts';
import { load } from './load.ts';
import { login, logout } from './login.ts';
import { logs } from './logs.ts';
import { projects } from './projects.ts';
import { secrets } from './secrets.ts';
import { services } from './services.ts';
import { why } from './why.ts';

export const COMMANDS: readonly Command[] = [
  login,
  logout,
  projects,
  deploy,
  services,
  secrets,
  keys,
  domains,
  logs,
  events,
  deadLetters,
  why,
  cost,
  invoices,
  billing,
  load,
  kubeconfigCommand,
  deleteService,
];
