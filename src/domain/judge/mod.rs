//! One rulebook applied to rows: code checks, the question for the model, the verdict.
