import { useMay } from '../../shell/permissions.ts';
import { useProjectName } from '../../shell/place.ts';
import { Contacts } from './contacts.tsx';
import { MailList } from './mail-list.tsx';
import { Webhooks } from './webhooks.tsx';

/** Who is told of alerts and invoices, and whether it arrived. */
export function NoticesTab() {
  const project = useProjectName();
  const may = useMay(project);
  return (
    <>
      <Contacts project={project} />
      <MailList project={project} />
      {may('services.read') && <Webhooks project={project} />}
    </>
  );
}
