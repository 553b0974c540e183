const STORAGE_KEY = 'skyrun.last-project';

export const lastProject = (): string | null => localStorage.getItem(STORAGE_KEY);
export const rememberProject = (name: string): void => localStorage.setItem(STORAGE_KEY, name);
