import { useQueryClient } from '@tanstack/react-query';
import { LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { useConnection, useUser } from '../api/context.ts';
import { Initial } from '../components/initial.tsx';
import { Menu, MenuItem, MenuLabel, MenuLine, MenuRadioGroup, MenuRadioItem } from '../components/menu.tsx';
import { chooseTheme, THEME_CHOICES, useThemeChoice } from '../theme/theme.ts';

const THEMES = {
  system: { label: 'As the system', icon: Monitor },
  light: { label: 'Light', icon: Sun },
  dark: { label: 'Dark', icon: Moon },
} as const;

export function AccountMenu({ compact = false }: { compact?: boolean }) {
  const user = useUser();
  const { session } = useConnection();
  const queries = useQueryClient();
  const theme = useThemeChoice();

  async function signOut() {
    try {
      await session.signOut();
    } finally {
      queries.clear();
    }
  }

  return (
    <Menu
      side={compact ? 'bottom' : 'top'}
      align={compact ? 'end' : 'start'}
      trigger={
        <button
          type="button"
          className="flex h-10 min-w-0 items-center gap-2.5 rounded-lg px-1.5 text-left transition-colors hover:bg-hover"
        >
          <Initial of={user?.name ?? '?'} className="size-7 rounded-full bg-solid text-on-solid" />
          <span className="sr-only">Account:</span>
          {compact && <span className="sr-only">{user?.email}</span>}
          {!compact && (
            <span className="min-w-0 leading-tight">
              <span className="block truncate text-[0.8125rem] font-medium">{user?.name}</span>
              <span className="block truncate text-xs text-ink-3">{user?.email}</span>
            </span>
          )}
        </button>
      }
    >
      <MenuLabel>{user?.email}</MenuLabel>
      <MenuLine />
      <MenuLabel>Appearance</MenuLabel>
      <MenuRadioGroup
        value={theme}
        onValueChange={(value) => chooseTheme(THEME_CHOICES.find((choice) => choice === value) ?? 'system')}
      >
        {THEME_CHOICES.map((choice) => {
          const { label, icon: Icon } = THEMES[choice];
          return (
            <MenuRadioItem key={choice} value={choice} onSelect={(event) => event.preventDefault()}>
              <Icon aria-hidden />
              {label}
            </MenuRadioItem>
          );
        })}
      </MenuRadioGroup>
      <MenuLine />
      <MenuItem onSelect={() => void signOut().catch(() => undefined)}>
        <LogOut aria-hidden />
        Sign out
      </MenuItem>
    </Menu>
  );
}
