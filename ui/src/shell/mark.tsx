/** The product's sign: three runway lights, rising. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 28 24" className={className} aria-hidden="true" fill="currentColor">
      <path d="M1 23 4 15h5l-3 8z" opacity=".45" />
      <path d="M8.5 23 13.5 9.5h5L13.5 23z" opacity=".7" />
      <path d="M16 23 24 1h4L20.5 23z" />
    </svg>
  );
}
