"""Statistics and differences of ggml's block types, against exact references. timeout: 180"""
import os
import sys

sys.dont_write_bytecode = True

import check
import numbers_generated
import weightfiles as wf

if __name__ == "__main__":
    numbers_generated.gguf(os.getcwd(), wf.BLOCKS)
    check.end()
