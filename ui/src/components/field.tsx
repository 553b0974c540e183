import { type ComponentProps, type ReactNode, useId } from 'react';
import { classNames } from './class-names.ts';
import { inputStyle } from './input-style.ts';
import { Select } from './select.tsx';

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
  readonly className?: string;
  readonly children: (props: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode;
}

/** A labelled input with its hint and its error next to it. */
export function Field({ label, hint, error, className, children }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className={classNames('flex min-w-0 flex-col gap-1.5', className)}>
      <label htmlFor={id} className="text-[0.8125rem] font-medium text-ink">
        {label}
      </label>
      {children({
        id,
        ...(note === undefined ? {} : { 'aria-describedby': noteId }),
        ...(error === undefined ? {} : { 'aria-invalid': true as const }),
      })}
      {note !== undefined && (
        <p
          id={noteId}
          className={classNames('text-xs', error === undefined ? 'text-ink-3' : 'font-medium text-bad-ink')}
        >
          {note}
        </p>
      )}
    </div>
  );
}

type TextFieldProps = Omit<FieldProps, 'children' | 'className'> & Omit<ComponentProps<'input'>, 'children'>;

export function TextField({ label, hint, error, className, ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} error={error} className={className ?? ''}>
      {(field) => <input className={inputStyle} {...input} {...field} />}
    </Field>
  );
}

type SelectFieldProps = Omit<FieldProps, 'children' | 'className'> & ComponentProps<'select'>;

export function SelectField({ label, hint, error, className, children, ...select }: SelectFieldProps) {
  return (
    <Field label={label} hint={hint} error={error} className={className ?? ''}>
      {(field) => (
        <Select {...select} {...field}>
          {children}
        </Select>
      )}
    </Field>
  );
}
