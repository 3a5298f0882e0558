import type { ComponentChildren } from 'preact';

export const SECTIONS = [
  ['minutes', 'Last hours'],
  ['cache', 'Cache'],
  ['operations', 'Operations'],
  ['statements', 'Slow statements'],
  ['indexes', 'Indexes'],
  ['tables', 'Tables'],
  ['tenants', 'Tenants'],
  ['errors', 'Errors'],
  ['processes', 'Processes'],
] as const;

interface SectionProps {
  readonly id: (typeof SECTIONS)[number][0];
  readonly children: ComponentChildren;
}

/** A part of the page under its heading, to which the list at the top leads. */
export function Section({ id, children }: SectionProps) {
  const title = SECTIONS.find(([known]) => known === id)?.[1];
  return (
    <section aria-labelledby={id} class="section">
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
