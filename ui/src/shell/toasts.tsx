import { Toaster } from 'sonner';
import { useShownTheme } from '../theme/theme.ts';

export function Toasts() {
  return <Toaster theme={useShownTheme()} position="bottom-right" containerAriaLabel="Notifications" />;
}
