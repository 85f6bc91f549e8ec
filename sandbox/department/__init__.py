"""A department that pushes feeds: it makes its own key, signs its batches and reads the answer row by row."""
