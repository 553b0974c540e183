import { Link } from '@tanstack/react-router';
import {
  Boxes,
  Globe,
  KeyRound,
  KeySquare,
  Layers,
  type LucideIcon,
  Network,
  ReceiptText,
  ScrollText,
  Users,
} from 'lucide-react';
import { useUser } from '../api/context.ts';
import { useMay } from './permissions.ts';

const PLACES = [
  { to: '/projects/$project/services', label: 'Services', icon: Boxes, needs: 'services.read' },
  { to: '/projects/$project/images', label: 'Images', icon: Layers, needs: 'services.read' },
  { to: '/projects/$project/domains', label: 'Domains', icon: Globe, needs: 'services.read' },
  { to: '/projects/$project/secrets', label: 'Secrets', icon: KeyRound, needs: 'services.read' },
  { to: '/projects/$project/events', label: 'Events', icon: ScrollText, needs: 'services.read' },
  { to: '/projects/$project/billing', label: 'Billing', icon: ReceiptText, needs: 'billing.read' },
  { to: '/projects/$project/members', label: 'Members', icon: Users, needs: 'project.read' },
  { to: '/projects/$project/keys', label: 'API keys', icon: KeySquare, needs: 'project.manage' },
  { to: '/projects/$project/gateway', label: 'Gateway', icon: Network, needs: 'admin' },
] as const satisfies readonly { to: string; label: string; icon: LucideIcon; needs: string }[];

export function Navigation({ project, onGo }: { project: string; onGo?: () => void }) {
  const may = useMay(project);
  const admin = useUser()?.admin === true;
  return (
    <nav aria-label="Project">
      <ul className="flex flex-col gap-0.5">
        {PLACES.filter(({ needs }) => (needs === 'admin' ? admin : may(needs))).map(({ to, label, icon: Icon }) => (
          <li key={to}>
            <Link
              to={to}
              params={{ project }}
              {...(onGo === undefined ? {} : { onClick: onGo })}
              className="flex h-9 items-center gap-2.5 rounded-lg px-2.5 font-medium text-ink-2 transition-colors hover:bg-hover hover:text-ink aria-[current=page]:bg-hover aria-[current=page]:text-ink [&_svg]:text-ink-3 aria-[current=page]:[&_svg]:text-accent-ink"
            >
              <Icon aria-hidden className="size-4" />
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
